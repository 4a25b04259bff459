"""What one pass over one store works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.applier import Applier, ConflictPolicy
from orchestrator.cluster import Cluster
from orchestrator.model.errors import ObjectNotFound
from orchestrator.model.health import Health
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.model.store import Revision, Store
from orchestrator.model.timeline import EntryType, NewEntry, Severity
from orchestrator.reconciler.contested import Contested
from orchestrator.reconciler.expectations import Expectations
from orchestrator.records import Claim, Records
from orchestrator.renderer import Rendered, Renderer, StoreProfile
from orchestrator.telemetry import Metrics
from orchestrator.watcher import StoreView, Watcher


@dataclass(frozen=True)
class Policy:
    """Times in seconds. ``max_tick`` is the longest gap between two passes that still counts."""

    provision_timeout: float = 600.0
    lease: float = 15.0
    resync: float = 300.0
    progress_tick: float = 5.0
    max_tick: float = 15.0
    retry_first: float = 0.5
    retry_longest: float = 30.0
    on_conflict: ConflictPolicy = ConflictPolicy.TAKE_BACK


@dataclass(frozen=True)
class Tools:
    """Every room that the reconciler uses, handed over by the composition root."""

    records: Records
    cluster: Cluster
    applier: Applier
    renderer: Renderer
    watcher: Watcher
    profile: StoreProfile
    metrics: Metrics
    clock: Callable[[], datetime]
    url_of: Callable[[Store], str]
    policy: Policy = field(default_factory=Policy)
    expectations: Expectations = field(default_factory=Expectations)
    contested: Contested = field(default_factory=Contested)


@dataclass
class Pass:
    """One pass: what was found, and what there is to say about it.

    ``settled``: nothing was sent and the watch has caught up. ``blocked``: an apply could not be
    done. ``new_home``: the namespace was made in this pass; ``remade``: and it had been there.
    ``lost``: data or passwords are gone.
    ``kept``: the revision failed earlier, and the shop is kept as it is wanted all the same.
    ``look_again``: seconds until a contested object may be put back. ``recorded``: the revision as
    the records have it. ``released``: the claim was given back with the last that was written.
    """

    tools: Tools
    claim: Claim
    store: Store
    revision: Revision | None
    last_ready: Revision | None
    rendered: Rendered | None = None
    view: StoreView | None = None
    live: dict[ObjectRef, Json] = field(default_factory=dict)
    applied: Health | None = None
    settled: bool = False
    blocked: bool = False
    new_home: bool = False
    remade: bool = False
    lost: bool = False
    kept: bool = False
    look_again: float | None = None
    released: bool = False
    observed: Mapping[str, Health] = field(default_factory=dict)
    entries: list[NewEntry] = field(default_factory=list)
    verdicts: list[NewEntry] = field(default_factory=list)
    recorded: Revision | None = field(init=False)

    def __post_init__(self) -> None:
        self.recorded = self.revision

    @property
    def now(self) -> datetime:
        """The present time."""
        return self.tools.clock()

    @property
    def current(self) -> Revision:
        """The revision at work; only asked for after one was begun."""
        if self.revision is None:
            raise RuntimeError(f"store {self.store.id} has no revision yet")
        return self.revision

    async def find(self, ref: ObjectRef) -> Json | None:
        """Ask the API server for an object; None when it is not there."""
        try:
            return await self.tools.cluster.get(ref)
        except ObjectNotFound:
            return None

    def changed_revision(self) -> tuple[Revision, Revision] | None:
        """Return the revision as it is recorded and as it is now, where they differ."""
        before, after = self.recorded, self.revision
        if before is None or after is None or before == after:
            return None
        return before, after

    async def record(self) -> None:
        """Write down now what changed of the revision, before anything is done about it."""
        if change := self.changed_revision():
            await self.tools.records.revisions.save(self.claim, *change)
            self.recorded = self.revision

    def say(
        self,
        type_: EntryType,
        reason: str,
        message: str,
        severity: Severity = Severity.INFO,
        *,
        ref: ObjectRef | None = None,
    ) -> None:
        """Add an entry to the timeline; it is written with the status."""
        self.entries.append(
            NewEntry(type_, reason, message, severity, str(ref) if ref is not None else None)
        )

    def conclude(self, reason: str, message: str, severity: Severity = Severity.INFO) -> None:
        """Add how the revision ended; it stands after the conditions that led to it."""
        self.verdicts.append(NewEntry(EntryType.REVISION, reason, message, severity))
