"""Logs of simulated containers: a few honest lines, since nothing runs in them.

A log that is followed ends at once: what a container says later is there at the next request.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.sandbox.errors import bad_request
from orchestrator.sandbox.values import Json


def read_log(pod: Json, params: Mapping[str, str]) -> str:
    """Return the log of one container of the pod; raises 400 as the kubelet's proxy does."""
    spec, name = pod["spec"], pod["metadata"]["name"]
    inits = [c["name"] for c in spec.get("initContainers") or []]
    mains = [c["name"] for c in spec.get("containers") or []]
    container = params.get("container", "")
    if not container:
        if len(mains) > 1:
            raise bad_request(
                f"a container name must be specified for pod {name}, choose one of: "
                f"[{' '.join(mains)}]"
                + (f" or one of the init containers: [{' '.join(inits)}]" if inits else "")
            )
        container = mains[0]
    if container not in (*inits, *mains):
        raise bad_request(f"container {container} is not valid for pod {name}")
    lines = _lines(pod, container, previous=params.get("previous") == "true")
    since = params.get("sinceTime", "")
    lines = [(time, text) for time, text in lines if time >= since]
    tail = params.get("tailLines", "")
    if tail.isdigit():
        lines = lines[len(lines) - min(int(tail), len(lines)) :]
    stamped = params.get("timestamps") == "true"
    return "".join(f"{time} {text}\n" if stamped else f"{text}\n" for time, text in lines)


def _lines(pod: Json, container: str, *, previous: bool) -> list[tuple[str, str]]:
    """Return times and texts."""
    name = pod["metadata"]["name"]
    status = pod.get("status", {})
    known = (*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or []))
    found: Json = next((s for s in known if s["name"] == container), {})
    state = (found.get("lastState") if previous else found.get("state")) or {}
    if previous and "terminated" not in state:
        raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
    waiting = state.get("waiting")
    if waiting is not None or not state:
        reason = (waiting or {}).get("reason", "ContainerCreating")
        raise bad_request(f'container "{container}" in pod "{name}" is waiting to start: {reason}')
    ended = state.get("terminated")
    start = (ended or state.get("running") or {}).get("startedAt", "")
    said = f"{start} simulation: container {container} of pod {name} started, nothing runs in it"
    lines = [(start, said)]
    if ended is not None:
        end = ended.get("finishedAt", "")
        lines += [(end, line) for line in str(ended.get("message", "")).splitlines()]
        lines.append((end, f"{end} simulation: exited with {ended['exitCode']}"))
    return lines
