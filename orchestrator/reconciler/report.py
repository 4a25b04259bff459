"""What a pass writes down about a store: the revision's clock, the status, the timeline."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from orchestrator.model.errors import UrumiError
from orchestrator.model.store import Outcome, Phase, Status, Trigger
from orchestrator.model.timeline import EntryType, NewEntry
from orchestrator.reconciler import status
from orchestrator.reconciler.context import Pass
from orchestrator.watcher import health


async def observe(run: Pass) -> None:
    """Read from the watch how the store does; ask for events only where nothing else explains."""
    if run.view is None:
        return
    run.observed = health.conditions(run.view)
    unexplained = not run.observed["DatabaseReady"].ok and not run.view.pods("database")
    if unexplained and has_namespace(run):
        events = await run.tools.cluster.events(run.store.namespace)
        run.observed = health.conditions(run.view.with_events(events))


def has_namespace(run: Pass) -> bool:
    """Whether the watch shows the store's own namespace: events of any other are not for it."""
    return run.view is not None and run.view.get("Namespace", run.store.namespace) is not None


def everything_ok(run: Pass) -> bool:
    """Whether all that Ready sums up is True."""
    parts = [run.applied, *(run.observed.get(n) for n in status.OBSERVED_TYPES)]
    return all(p is not None and p.ok for p in parts)


def start_clock(run: Pass) -> None:
    """Start the revision's clock: the API server has answered an apply for the first time."""
    if run.current.applied_at is None:
        now = run.now
        _set_clock(run, applied_at=now, elapsed=0.0, now=now)


def tick(run: Pass) -> None:
    """Advance the clock by the time since the last pass; long gaps hardly count."""
    revision, now = run.current, run.now
    if revision.applied_at is None or revision.ticked_at is None:
        return
    gap = (now - revision.ticked_at).total_seconds()
    elapsed = revision.elapsed + min(max(gap, 0.0), run.tools.policy.max_tick)
    _set_clock(run, applied_at=revision.applied_at, elapsed=elapsed, now=now)


def stand_still(run: Pass) -> None:
    """Move the revision's clock on without counting the time since the last pass."""
    revision = run.revision
    if revision is not None and revision.outcome is Outcome.PROGRESSING and revision.applied_at:
        at, elapsed = revision.applied_at, revision.elapsed
        _set_clock(run, applied_at=at, elapsed=elapsed, now=run.now)


def _set_clock(run: Pass, *, applied_at: datetime, elapsed: float, now: datetime) -> None:
    run.revision = replace(run.current, applied_at=applied_at, elapsed=elapsed, ticked_at=now)


async def finalise(run: Pass, note: str = "", *, due: datetime | None = None) -> None:
    """Write status, revision and everything that this pass has to say, in one transaction.

    With ``due`` it ends the pass: the claim is given back until then.
    """
    found = status.Findings(
        revision=run.revision,
        has_been_ready=run.last_ready is not None,
        applied=run.applied,
        observed=run.observed,
        url=run.tools.url_of(run.store),
        now=run.now,
        guarded=_guarded(run),
        note=note or _note_of_rollback(run),
    )
    new, entries = status.finalise(run.store, found)
    run.entries += [e for e in entries if e.type is EntryType.HEALTH]
    await save(run, new, [e for e in entries if e.type is not EntryType.HEALTH], due=due)


async def save(
    run: Pass, new: Status, entries: list[NewEntry], *, due: datetime | None = None
) -> None:
    """Write a status, the revision and the pass's entries, where there is anything new."""
    written = [*run.entries, *run.verdicts, *entries]
    change = run.changed_revision()
    if new == run.store.status and not written and change is None:
        return
    await run.tools.records.status.save(
        run.claim, new, written, attempt=run.store.attempt, revision=change, due=due
    )
    run.entries.clear()
    run.verdicts.clear()
    run.store, run.recorded = replace(run.store, status=new), run.revision
    run.released = due is not None


async def await_cluster(run: Pass, refusal: str) -> None:
    """Note that the cluster does not answer; the revision's clock stands still meanwhile.

    ``refusal`` is what it said instead of an answer. Without one the details, such as its address,
    are for the operator: they stand in the log and at /readyz.
    """
    stand_still(run)
    why = f": {refusal}" if refusal else ", which does not answer"
    new = status.unobserved(run.store.status, f"Waiting for the Kubernetes cluster{why}", run.now)
    if run.store.deleting_since is not None:
        new = replace(new, phase=Phase.DELETING)
    await save(run, new, status.outage(run.store.status, new))


def _guarded(run: Pass) -> bool:
    """Whether namespace and credentials are there: applied to, and not taken down since."""
    revision = run.revision
    return (
        revision is not None and revision.applied_at is not None and bool(revision.inventory.items)
    )


def _note_of_rollback(run: Pass) -> str:
    """Name both revisions once a rollback is Ready: nobody wonders where the change went."""
    revision = run.revision
    if revision is None or revision.trigger is not Trigger.ROLLBACK or run.last_ready is None:
        return ""
    return (
        f"revision {revision.number - 1} failed and was rolled back by revision {revision.number}"
    )


async def show_defect(run: Pass, exc: Exception) -> None:
    """Say in the store's message that a pass failed; what exactly stands in the log."""
    text = str(exc) if isinstance(exc, UrumiError) else f"{type(exc).__name__}; see the log"
    await save(run, replace(run.store.status, message=f"A step failed: {text}"), [])
