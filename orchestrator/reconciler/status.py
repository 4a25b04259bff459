"""Finalises a store's status: conditions, progress, phase and message, in this one place.

Pure: what a pass found goes in, the new status and the timeline entries about it come out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from orchestrator.model.health import Health, HealthStatus
from orchestrator.model.store import (
    Condition,
    Outcome,
    Phase,
    Progress,
    Revision,
    Status,
    Store,
    Trigger,
)
from orchestrator.model.timeline import EntryType, NewEntry, Severity

OBSERVED_TYPES: Final = ("DatabaseReady", "WordPressReady", "SetupComplete", "RouteReady")
_STEPS: Final = ("DatabaseReady", "SetupComplete", "WordPressReady", "RouteReady")
_GOING: Final = Health(HealthStatus.PROGRESSING, "Deleting", "Being deleted with the store")
_WAITING: Final = Health(HealthStatus.PROGRESSING, "Waiting", "Waiting for the objects before it")


@dataclass(frozen=True)
class Findings:
    """What one pass knows at its end. ``applied`` None means: not applied yet in this revision."""

    revision: Revision | None
    has_been_ready: bool
    applied: Health | None
    observed: Mapping[str, Health]
    url: str
    now: datetime
    guarded: bool = False
    note: str = ""


def finalise(store: Store, found: Findings) -> tuple[Status, list[NewEntry]]:
    """Return the store's new status and what the timeline says about the change."""
    phase = phase_of(store, found)
    conditions = _conditions(store, found, phase)
    ready = phase is Phase.READY
    status = Status(
        phase=phase,
        message=_message(phase, conditions, found),
        conditions=conditions,
        progress=_progress(found, phase),
        observed_generation=_observed_generation(store, found),
        revision=found.revision.number if found.revision else store.status.revision,
        ready_at=store.status.ready_at or (found.now if ready else None),
    )
    return status, _entries(store.status, status)


def phase_of(store: Store, found: Findings) -> Phase:
    """Return the phase: deletion first, then how the current revision stands."""
    if store.deleting_since is not None:
        return Phase.DELETING
    if found.revision is None:
        return Phase.PENDING
    match found.revision.outcome:
        case Outcome.FAILED:
            return Phase.FAILED
        case Outcome.READY:
            return Phase.READY if _all_ok(found) else Phase.DEGRADED
        case _:
            return _underway(found)


def _underway(found: Findings) -> Phase:
    if found.revision is not None and found.revision.trigger is Trigger.ROLLBACK:
        return Phase.ROLLING_BACK
    return Phase.UPGRADING if found.has_been_ready else Phase.PROVISIONING


def _all_ok(found: Findings) -> bool:
    parts = [found.applied, *(found.observed.get(name) for name in OBSERVED_TYPES)]
    return all(part is not None and part.ok for part in parts)


def _observed_generation(store: Store, found: Findings) -> int:
    revision = found.revision
    if revision is None or (found.applied is None and revision.outcome is Outcome.PROGRESSING):
        return store.status.observed_generation
    return revision.generation


def _conditions(store: Store, found: Findings, phase: Phase) -> tuple[Condition, ...]:
    parts = {"Applied": found.applied or _WAITING}
    parts |= {name: found.observed.get(name, _WAITING) for name in OBSERVED_TYPES}
    parts["Ready"] = _sum(parts, phase, found)
    if phase is Phase.DELETING:
        # What is going is not looked at any more: only Ready says how the deletion stands.
        parts = {name: parts["Ready"] if name == "Ready" else _GOING for name in parts}
    generation = found.revision.generation if found.revision else store.generation
    before = {c.type: c for c in store.status.conditions}
    return tuple(
        _condition(name, part, before.get(name), found.now, generation)
        for name, part in parts.items()
    )


def _sum(parts: Mapping[str, Health], phase: Phase, found: Findings) -> Health:
    bad = next((part for part in parts.values() if not part.ok), None)
    if phase is Phase.FAILED and found.revision is not None:
        return Health(HealthStatus.DEGRADED, "RevisionFailed", found.revision.message)
    if phase is Phase.DELETING:
        return Health(HealthStatus.PROGRESSING, "Deleting", found.note or "Being deleted")
    if bad is None:
        return Health(HealthStatus.HEALTHY, "Serving", f"Serving {found.url}")
    return bad


def _condition(
    name: str, part: Health, before: Condition | None, now: datetime, generation: int
) -> Condition:
    status = _status_word(part)
    same = before is not None and before.status == status
    since = before.last_transition_time if same and before is not None else now
    return Condition(name, status, part.reason, part.message, since, generation)


def _status_word(part: Health) -> str:
    return "True" if part.ok else "Unknown" if part.reason == UNREACHABLE else "False"


UNREACHABLE: Final = "ClusterUnreachable"


def _progress(found: Findings, phase: Phase) -> Progress:
    """Namespace, credentials, applied, then the four that are observed: seven steps."""
    if phase is Phase.READY:
        return Progress(7)
    done = 2 if found.guarded else 0
    if found.applied is not None and found.applied.ok:
        done = 3 + sum(1 for name in _STEPS if (h := found.observed.get(name)) and h.ok)
    return Progress(done)


def _message(phase: Phase, conditions: tuple[Condition, ...], found: Findings) -> str:
    if phase is Phase.PENDING:
        return found.note or "Waiting to be provisioned"
    ready = next(c for c in conditions if c.type == "Ready")
    if phase is not Phase.READY and ready.status == "True":
        return "Everything is well; about to be Ready"
    if phase is Phase.READY and found.note:
        return f"{ready.message}; {found.note}"
    return ready.message


def _entries(before: Status, after: Status) -> list[NewEntry]:
    entries = [] if before.phase is after.phase else [_phase_entry(before, after)]
    entries += outage(before, after)
    if after.phase is Phase.DELETING:
        return entries
    old = {c.type: c for c in before.conditions}
    for condition in after.conditions:
        known = old.get(condition.type)
        if condition.type == "Ready" or (known and known.status == condition.status):
            continue
        if known or condition.status == "True":
            entries.append(_condition_entry(condition))
    return entries


def _phase_entry(before: Status, after: Status) -> NewEntry:
    severity = {Phase.FAILED: Severity.ERROR, Phase.DEGRADED: Severity.WARNING}
    return NewEntry(
        EntryType.PHASE,
        after.phase.value,
        f"{before.phase} → {after.phase}: {after.message}",
        severity.get(after.phase, Severity.INFO),
    )


def outage(before: Status, after: Status) -> list[NewEntry]:
    """Return what the timeline says when the cluster begins or ends to be out of reach."""
    was, now = is_unobserved(before), is_unobserved(after)
    if was == now:
        return []
    if now:
        return [NewEntry(EntryType.HEALTH, UNREACHABLE, after.message, Severity.WARNING)]
    return [NewEntry(EntryType.HEALTH, "ClusterBack", "The Kubernetes cluster answers again")]


def _condition_entry(condition: Condition) -> NewEntry:
    good = condition.status == "True"
    return NewEntry(
        EntryType.HEALTH,
        condition.type,
        f"{condition.type} is {condition.status}: {condition.message}",
        Severity.INFO if good else Severity.WARNING,
    )


def is_unobserved(status: Status) -> bool:
    """Whether a store waits for a cluster that does not answer, and its timeline says so."""
    return any(c.type == "Ready" and c.reason == UNREACHABLE for c in status.conditions)


def unobserved(status: Status, why: str, now: datetime) -> Status:
    """Return ``status`` with its Ready condition Unknown because the cluster does not answer.

    The phase stays: the shop may well go on serving while its API server is away.
    """
    before = {c.type: c for c in status.conditions}
    ready = _condition(
        "Ready",
        Health(HealthStatus.PROGRESSING, UNREACHABLE, why),
        before.get("Ready"),
        now,
        status.observed_generation,
    )
    others = tuple(c for c in status.conditions if c.type != "Ready") or tuple(
        _condition(name, Health(HealthStatus.PROGRESSING, UNREACHABLE, why), None, now, 0)
        for name in ("Applied", *OBSERVED_TYPES)
    )
    return Status(
        phase=status.phase,
        message=why,
        conditions=(*others, ready),
        progress=status.progress,
        observed_generation=status.observed_generation,
        revision=status.revision,
        ready_at=status.ready_at,
    )
