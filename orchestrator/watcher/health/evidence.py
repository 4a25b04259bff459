"""What the containers of a store are doing, as plain data to keep when a revision fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from orchestrator.model.kinds import Json
from orchestrator.watcher.fields import clean, dig, mapping, name_of, number, text
from orchestrator.watcher.health import container, initcontainer
from orchestrator.watcher.view import StoreView

_STATES: Final = ("waiting", "running", "terminated")


def container_states(view: StoreView) -> list[Json]:
    """Return one entry for each container that has a status, init containers first."""
    pods = sorted(view.of_kind("Pod"), key=name_of)
    return [entry for pod in pods for entry in _of_pod(pod)]


def _of_pod(pod: Json) -> Iterator[Json]:
    for init in (True, False):
        for state in container.statuses(pod, init=init):
            yield _entry(pod, state, init)


def _entry(pod: Json, state: Json, init: bool) -> Json:
    now = next((s for s in _STATES if isinstance(dig(state, "state", s), dict)), "unknown")
    present = mapping(dig(state, "state", now))
    end = container.terminated(state)
    code = end.get("exitCode")
    return {
        "pod": clean(name_of(pod), 253),
        "container": clean(state.get("name"), 63),
        "init": init,
        "image": container.image_of(pod, state),
        "ready": state.get("ready") is True,
        "restarts": number(state.get("restartCount")),
        "state": now,
        "reason": clean(text(present.get("reason")) or end.get("reason"), 100),
        "exitCode": number(code) if code is not None else None,
        "message": _said(now, present, end),
    }


def _said(now: str, present: Json, end: Json) -> str:
    """Return the container's own last words where it ended, else what Kubernetes waits for."""
    words = initcontainer.summary(end.get("message"))
    if now == "terminated":
        return words
    if present.get("reason") == "CrashLoopBackOff":
        return words or clean(present.get("message"))
    return clean(present.get("message")) or words
