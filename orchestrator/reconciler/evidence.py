"""What was seen when a revision failed, kept before anything is taken down.

Containers may print what they were given, so the values of the store's Secret are read for the time
of the collection and masked wherever they stand. Without them no log is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from orchestrator.model.errors import ClusterError
from orchestrator.model.kinds import Json
from orchestrator.reconciler import report
from orchestrator.reconciler.context import Pass
from orchestrator.reconciler.masking import masked, masked_event, secrets_of
from orchestrator.watcher.events import count_of, time_of
from orchestrator.watcher.health import container_states

MOST_EVENTS: Final = 100
LONGEST_TEXT: Final = 2000
MOST_LOGS: Final = 8
LOG_LINES: Final = 50
LONGEST_LOG: Final = 8000
_PATIENCE: Final = 20.0


async def collect(run: Pass) -> Json:
    """Return events, container states, last logs and conditions of the store's namespace as JSON.

    What could not be read leaves a note; the store's passwords are masked.
    """
    notes: list[str] = []
    containers = container_states(run.view) if run.view is not None else []
    secrets = await _secrets(run, notes) if report.has_namespace(run) else None
    evidence: Json = {
        "collectedAt": run.now.isoformat(),
        "events": await _events(run, secrets, notes),
        "containers": containers,
        "logs": await _logs(run, containers, notes) if secrets is not None else [],
        "conditions": [
            {"type": name, "reason": h.reason, "message": h.message, "healthy": h.ok}
            for name, h in run.observed.items()
        ],
    }
    if notes:
        evidence["note"] = "; ".join(notes)
    return _cut(masked(evidence, secrets or ()))


async def _secrets(run: Pass, notes: list[str]) -> Sequence[str] | None:
    """Return what must not be seen; None when that is not known."""
    try:
        return await secrets_of(run.tools.cluster, run.store.namespace)
    except ClusterError as exc:
        notes.append(f"logs were not read: {exc}")
        return None


async def _events(run: Pass, secrets: Sequence[str] | None, notes: list[str]) -> list[Json]:
    events: Sequence[Json] = ()
    try:
        if report.has_namespace(run):
            events = await run.tools.cluster.events(run.store.namespace)
    except ClusterError as exc:
        notes.append(f"events could not be read: {exc}")
    newest = sorted(events, key=time_of)[-MOST_EVENTS:]
    return [_event(masked_event(e, secrets)) for e in newest]


async def _logs(run: Pass, containers: Sequence[Json], notes: list[str]) -> list[Json]:
    """Return the last lines of the containers that are not well; of one that restarts, before."""
    ailing = [c for c in containers if not c["ready"] or c["restarts"]]
    spoke = [c for c in ailing if c["state"] != "waiting" or c["restarts"]]
    try:
        async with asyncio.timeout(_PATIENCE):
            found = await asyncio.gather(*(_log(run, c, notes) for c in spoke[:MOST_LOGS]))
    except TimeoutError:
        notes.append(f"logs could not be read within {_PATIENCE:g} s")
        return []
    return [log for log in found if log is not None]


async def _log(run: Pass, container: Json, notes: list[str]) -> Json | None:
    pod, name = container["pod"], container["container"]
    previous = container["state"] == "waiting"
    try:
        text = await run.tools.cluster.logs(
            run.store.namespace, pod, name, tail=LOG_LINES, previous=previous
        )
    except ClusterError as exc:
        notes.append(f"the log of {name} could not be read: {exc}")
        return None
    return {"pod": pod, "container": name, "previous": previous, "text": text}


def _cut(evidence: Json) -> Json:
    """Shorten what is too long; after the masking, which must see whole values."""
    events = [{**e, "message": e["message"][:LONGEST_TEXT]} for e in evidence["events"]]
    logs = [{**log, "text": log["text"][-LONGEST_LOG:]} for log in evidence["logs"]]
    return {**evidence, "events": events, "logs": logs}


def _event(event: Json) -> Json:
    about = event.get("involvedObject") or {}
    return {
        "time": time_of(event),
        "type": event.get("type"),
        "reason": event.get("reason"),
        "object": "/".join(str(about.get(k) or "") for k in ("kind", "namespace", "name")),
        "message": str(event.get("message") or ""),
        "count": count_of(event),
    }
