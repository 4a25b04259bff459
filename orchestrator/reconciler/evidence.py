"""What was seen when a revision failed, kept before anything is taken down."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.model.errors import ClusterError
from orchestrator.model.kinds import Json
from orchestrator.reconciler import report
from orchestrator.reconciler.context import Pass
from orchestrator.watcher.health import container_states

MOST_EVENTS = 100
LONGEST_TEXT = 2000


async def collect(run: Pass) -> Json:
    """Return events, container states and conditions of the store's namespace as JSON.

    Secrets are not read, so none can be in it. An API server that does not answer leaves a note.
    """
    note = None
    events: Sequence[Json] = ()
    try:
        if report.has_namespace(run):
            events = await run.tools.cluster.events(run.store.namespace)
    except ClusterError as exc:
        note = f"events could not be read: {exc}"
    evidence: Json = {
        "collectedAt": run.now.isoformat(),
        "events": [_event(e) for e in sorted(events, key=_when)[-MOST_EVENTS:]],
        "containers": container_states(run.view) if run.view is not None else [],
        "conditions": [
            {"type": name, "reason": h.reason, "message": h.message, "healthy": h.ok}
            for name, h in run.observed.items()
        ],
    }
    if note:
        evidence["note"] = note
    return evidence


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
        "message": str(event.get("message") or "")[:LONGEST_TEXT],
        "count": event.get("count") or 1,
    }
