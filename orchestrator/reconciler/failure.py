"""What happens to a revision that does not become Ready.

First the evidence is kept; then a first install is taken down, and a change goes back to the last
Ready revision, written as a new generation so that nothing flaps. ``retry`` is the way on from
Failed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.model.errors import Conflict, NamespaceNotOurs
from orchestrator.model.health import Health, HealthStatus
from orchestrator.model.inventory import Inventory
from orchestrator.model.store import Outcome, Phase, Trigger
from orchestrator.model.timeline import EntryType, NewEntry, Severity
from orchestrator.reconciler import evidence, report, status, teardown
from orchestrator.reconciler.context import Pass


def out_of_time(run: Pass) -> str:
    """Say in one sentence why the revision's time is over: the first thing that is not well."""
    limit = run.tools.policy.provision_timeout
    parts = [run.applied, *(run.observed.get(n) for n in status.OBSERVED_TYPES)]
    why = next((p.message for p in parts if p is not None and not p.ok), "no reason was seen")
    return f"Not Ready within {duration(limit)}: {why}"


def duration(seconds: float) -> str:
    """Write a duration for people: ``90 s``, ``10 min``."""
    return f"{seconds / 60:g} min" if seconds >= 120 else f"{seconds:g} s"


async def fail(run: Pass, message: str) -> None:
    """Keep the evidence and end the revision as Failed."""
    revision = run.current
    if not run.observed:
        await report.observe(run)
    seen = await evidence.collect(run)
    run.revision = replace(revision, outcome=Outcome.FAILED, message=message, evidence=seen)
    await run.record()
    _conclude(run)


async def after(run: Pass) -> datetime | None:
    """Go on from a failed revision: take a first install down, or go back to the last Ready one.

    Returns when to look again; None when neither can be done: a shop that served is kept as it is
    wanted, and is Ready when its cause of failure is mended.
    """
    if run.store.status.phase is not Phase.FAILED:
        await _say_failed(run)
    if run.last_ready is None:
        return await _take_down(run)
    return await _go_back(run) if _revertible(run) else None


async def _say_failed(run: Pass) -> None:
    """Write the status of a failure that was recorded just before a process died."""
    run.applied = Health(HealthStatus.DEGRADED, "RevisionFailed", run.current.message)
    await report.observe(run)
    _conclude(run)
    await report.finalise(run)


def _conclude(run: Pass) -> None:
    text = f"Revision {run.current.number} failed: {run.current.message}"
    run.conclude("RevisionFailed", text, Severity.ERROR)


def _revertible(run: Pass) -> bool:
    revision, last = run.current, run.last_ready
    return (
        last is not None
        and revision.trigger is not Trigger.ROLLBACK
        and last.spec != revision.spec
        and run.store.generation == revision.generation
    )


async def _go_back(run: Pass) -> datetime:
    failed, last = run.current, run.last_ready
    if last is None:
        raise RuntimeError("there is nothing to go back to")
    entry = NewEntry(
        EntryType.REVISION,
        "RollingBack",
        f"Revision {failed.number} failed; going back to the spec of revision {last.number}",
        Severity.WARNING,
    )
    try:
        await run.tools.records.revisions.revert(
            run.claim, failed=failed.number, to=last.number, entry=entry
        )
    except Conflict as exc:
        # Another store took the old domain meanwhile: stay Failed, with that said.
        message = f"{failed.message} It could not go back: {exc}"
        await report.save(run, replace(run.store.status, message=message), [])
        return run.now + timedelta(seconds=run.tools.policy.resync)
    return run.now


async def _take_down(run: Pass) -> datetime:
    later = run.now + timedelta(seconds=run.tools.policy.resync)
    if not run.current.inventory.items:
        return later
    try:
        state = await teardown.remove_namespace(run)
    except NamespaceNotOurs:
        return later
    if not state.gone:
        return run.now + timedelta(seconds=2)
    run.tools.expectations.forget(run.store.id)
    await _say_gone(run)
    return later


async def _say_gone(run: Pass) -> None:
    text = f"The failed first install (revision {run.current.number}) was taken down"
    run.conclude("TakenDown", f"{text}; its evidence is kept. Mend the cause, then retry.")
    gone = Health(HealthStatus.DEGRADED, "TakenDown", text)
    run.revision = replace(run.current, inventory=Inventory())
    run.applied, run.observed = gone, dict.fromkeys(status.OBSERVED_TYPES, gone)
    await report.finalise(run)
