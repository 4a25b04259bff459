"""Why one container does not run: the part of pod health that people ask about most."""

from __future__ import annotations

from typing import Final

from orchestrator.model.health import Health
from orchestrator.model.kinds import Json
from orchestrator.watcher.fields import (
    clean,
    dig,
    mapping,
    mappings,
    name_of,
    number,
    spec,
    status,
    text,
)
from orchestrator.watcher.health.words import degraded, image_title, progressing, title, with_detail

IMAGE_REASONS: Final = frozenset(
    ("ImagePullBackOff", "ErrImagePull", "RegistryUnavailable", "ImageInspectError")
)
_BAD_IMAGE: Final = {
    "InvalidImageName": "has a name that is not valid",
    "ErrImageNeverPull": "is not on the node and may not be downloaded",
}
_CONFIG_REASONS: Final = frozenset(
    ("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError")
)


def waiting(state: Json) -> Json:
    """Return the container status' waiting state, or an empty object."""
    return mapping(dig(state, "state", "waiting"))


def terminated(state: Json) -> Json:
    """Return how the container ended last: now, or before the present start."""
    return mapping(dig(state, "state", "terminated")) or mapping(
        dig(state, "lastState", "terminated")
    )


def out_of_memory(end: Json) -> bool:
    """Tell whether the kernel killed the container for its memory."""
    return end.get("reason") == "OOMKilled"


def image_of(pod: Json, state: Json) -> str:
    """Return the image as the pod's spec names it (the status' name may be a resolved one)."""
    containers = mappings(spec(pod).get("containers")) + mappings(spec(pod).get("initContainers"))
    named = next((c for c in containers if c.get("name") == state.get("name")), {})
    return clean(named.get("image"), 200) or clean(state.get("image"), 200)


def image_trouble(pod: Json, state: Json) -> Health | None:
    """Explain an image that cannot be had."""
    reason = text(waiting(state).get("reason"))
    if reason in _BAD_IMAGE:
        return degraded(
            reason, f"{image_title(pod)} {_BAD_IMAGE[reason]}: {image_of(pod, state)}", pod
        )
    if reason in IMAGE_REASONS:
        sentence = f"{image_title(pod)} cannot be downloaded: {image_of(pod, state)}"
        return degraded(reason, sentence, pod)
    return None


def config_trouble(pod: Json, state: Json) -> Health | None:
    """Explain a container that cannot be made: a Secret, a key, a volume or a command is wrong."""
    wait = waiting(state)
    reason = text(wait.get("reason"))
    if reason not in _CONFIG_REASONS:
        return None
    what = "its configuration is incomplete" if "Config" in reason else "its container fails"
    sentence = with_detail(f"{title(pod)} cannot start, {what}", clean(wait.get("message"), 300))
    return degraded(reason, sentence, pod)


def memory_sentence(pod: Json, state: Json, subject: str) -> str:
    """Say that memory ran out, and how much there was."""
    containers = mappings(spec(pod).get("containers")) + mappings(spec(pod).get("initContainers"))
    named = next((c for c in containers if c.get("name") == state.get("name")), {})
    limit = clean(dig(named, "resources", "limits", "memory"), 20)
    return f"{subject} ran out of memory" + (f" (limit {limit})" if limit else "")


def ending(end: Json) -> str:
    """Say how a container ended: exit code, Kubernetes' reason, its last words."""
    code = number(end.get("exitCode"), -1)
    signal = number(end.get("signal"))
    known = f"exit code {code}" if code >= 0 else ""
    known += f", signal {signal}" if signal else ""
    reason = clean(end.get("reason"), 60)
    said = ", ".join(part for part in (known, reason) if part)
    return with_detail(said, clean(end.get("message"), 250)) if said else ""


def crash_trouble(pod: Json, state: Json) -> Health | None:
    """Explain a container that keeps ending, or that ended and is not started again yet."""
    reason = text(waiting(state).get("reason"))
    end = terminated(state)
    ended = bool(dig(state, "state", "terminated")) and number(end.get("exitCode"), -1) != 0
    if reason != "CrashLoopBackOff" and not ended:
        return None
    if out_of_memory(end):
        return degraded("OOMKilled", memory_sentence(pod, state, title(pod)), pod)
    where = clean(state.get("name"), 63) or name_of(pod)
    sentence = with_detail(f"{title(pod)} keeps stopping", ending(end))
    restarts = number(state.get("restartCount"))
    if restarts:
        often = "once" if restarts == 1 else f"{restarts} times"
        sentence += f"; container {where} was restarted {often}"
    return degraded(reason or "Error", sentence, pod)


def trouble(pod: Json, state: Json) -> Health | None:
    """Return what is wrong with one container, or None."""
    for look in (image_trouble, config_trouble, crash_trouble):
        found = look(pod, state)
        if found is not None:
            return found
    return None


def starting(pod: Json, state: Json) -> Health | None:
    """Say that a container is being made, runs without being ready, or died before this start."""
    if state.get("ready") is True:
        return None
    end = mapping(dig(state, "lastState", "terminated"))
    if out_of_memory(end):
        return progressing("OOMKilled", memory_sentence(pod, state, title(pod)), pod)
    if dig(state, "state", "running") is not None:
        sentence = f"{title(pod)} was started and does not answer yet"
        past = ending(end)
        return progressing(
            "ContainersNotReady", sentence + (f"; before: {past}" if past else ""), pod
        )
    wait = waiting(state)
    reason = text(wait.get("reason")) or "ContainerCreating"
    sentence = with_detail(f"{title(pod)} is starting", clean(wait.get("message"), 300))
    return progressing(reason, sentence, pod)


def statuses(pod: Json, *, init: bool = False) -> list[Json]:
    """Return the container statuses of a pod."""
    return mappings(status(pod).get("initContainerStatuses" if init else "containerStatuses"))
