"""What was seen when a revision failed, kept before anything is taken down.

Containers may print what they were given, so the values of the store's Secret are read for the time
of the collection and masked wherever they stand. Without them no log is kept.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Collection, Sequence
from typing import Any, Final

from orchestrator.model.errors import ClusterError, ObjectNotFound
from orchestrator.model.kinds import Json
from orchestrator.reconciler import report
from orchestrator.reconciler.context import Pass
from orchestrator.reconciler.credentials import secret_ref
from orchestrator.watcher.health import container_states

MOST_EVENTS: Final = 100
LONGEST_TEXT: Final = 2000
MOST_LOGS: Final = 8
LOG_LINES: Final = 50
LONGEST_LOG: Final = 8000
MASK: Final = "•••"
_SHORTEST_SECRET: Final = 8
"""Shorter values (a user name) are no secrets and would mask half of every text."""
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
        "events": await _events(run, notes),
        "containers": containers,
        "logs": await _logs(run, containers, notes) if secrets is not None else [],
        "conditions": [
            {"type": name, "reason": h.reason, "message": h.message, "healthy": h.ok}
            for name, h in run.observed.items()
        ],
    }
    if notes:
        evidence["note"] = "; ".join(notes)
    return _cut(_masked(evidence, secrets or ()))


async def _secrets(run: Pass, notes: list[str]) -> Collection[str] | None:
    """Return what must not be seen, the longest first; None when that is not known."""
    try:
        secret = await run.tools.cluster.get(secret_ref(run.store.namespace))
    except ObjectNotFound:
        return ()
    except ClusterError as exc:
        notes.append(f"logs were not read: {exc}")
        return None
    values = (base64.b64decode(v).decode(errors="replace") for v in secret.get("data", {}).values())
    return sorted((v for v in values if len(v) >= _SHORTEST_SECRET), key=len, reverse=True)


async def _events(run: Pass, notes: list[str]) -> list[Json]:
    events: Sequence[Json] = ()
    try:
        if report.has_namespace(run):
            events = await run.tools.cluster.events(run.store.namespace)
    except ClusterError as exc:
        notes.append(f"events could not be read: {exc}")
    return [_event(e) for e in sorted(events, key=_when)[-MOST_EVENTS:]]


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


def _masked(value: Any, secrets: Collection[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, list):
        return [_masked(item, secrets) for item in value]
    if isinstance(value, dict):
        return {key: _masked(item, secrets) for key, item in value.items()}
    return value


def _cut(evidence: Json) -> Json:
    """Shorten what is too long; after the masking, which must see whole values."""
    events = [{**e, "message": e["message"][:LONGEST_TEXT]} for e in evidence["events"]]
    logs = [{**log, "text": log["text"][-LONGEST_LOG:]} for log in evidence["logs"]]
    return {**evidence, "events": events, "logs": logs}


def _when(event: Json) -> str:
    return str(
        event.get("lastTimestamp")
        or event.get("eventTime")
        or event.get("metadata", {}).get("creationTimestamp")
        or ""
    )


def _event(event: Json) -> Json:
    about = event.get("involvedObject") or {}
    return {
        "time": _when(event),
        "type": event.get("type"),
        "reason": event.get("reason"),
        "object": "/".join(str(about.get(k) or "") for k in ("kind", "namespace", "name")),
        "message": str(event.get("message") or ""),
        "count": event.get("count") or 1,
    }
