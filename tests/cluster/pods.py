"""What a kubelet would make of a pod, one step at a time: pure, so that every stage can be tested.

Nothing runs. Tags of images provoke what a test asks for: ``missing`` (ImagePullBackOff), ``crash``
(CrashLoopBackOff), ``oom`` (OOMKilled); what is larger than the node is the real scheduler's to
refuse. Init containers, and all containers of a pod that is not restarted, end well at once;
``setup`` leaves the termination message that the shop's own script would.
"""

from __future__ import annotations

import copy
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

Json = dict[str, Any]
NODE: Final = "stand-in"
ADDRESS: Final = "10.0.0.1"
_BACK_OFF: Final = 1.0
_LOOK_AGAIN: Final = 0.3


@dataclass
class Needs:
    """What the pod refers to and the cluster lacks, in the kubelet's words."""

    mount: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Step:
    """The pod's next status, what is told about it, and seconds until the next look."""

    status: Json
    events: list[tuple[str, str, str]] = field(default_factory=list)
    again: float | None = None

    def tell(self, kind: str, reason: str, message: str) -> None:
        """Add an event."""
        self.events.append((kind, reason, message))

    def wait(self, seconds: float) -> None:
        """Look again within so many seconds."""
        self.again = seconds if self.again is None else min(self.again, seconds)


def advance(pod: Json, needs: Needs) -> Step:
    """Return the pod's next step; one with the same status has arrived where it stays."""
    status = copy.deepcopy(pod.get("status") or {})
    step = Step(status)
    if status.get("phase") in ("Succeeded", "Failed"):
        return step
    _accept(pod, status)
    if needs.mount and not status.get("podIP"):
        step.tell("Warning", "FailedMount", needs.mount)
        step.wait(_LOOK_AGAIN)
    else:
        status |= {"podIP": address_of(pod), "podIPs": [{"ip": address_of(pod)}]}
        _advance_containers(pod, step, needs)
    _sum_up(pod, status)
    return step


def address_of(pod: Json) -> str:
    """Return the pod's address: the same for the same pod."""
    number = zlib.crc32(pod["metadata"]["uid"].encode()) % (254 * 254)
    return f"10.244.{number // 254}.{number % 254 + 1}"


def tag_of(image: str) -> str:
    """Return an image's tag."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2] or "latest"


def now() -> str:
    """Return this second, as the API writes times."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _accept(pod: Json, status: Json) -> None:
    if status.get("startTime"):
        return
    spec = pod["spec"]
    reason = "PodInitializing" if spec.get("initContainers") else "ContainerCreating"
    status |= {"phase": "Pending", "startTime": now(), "hostIP": ADDRESS}
    status["containerStatuses"] = [_entry(c, reason) for c in spec["containers"]]
    if spec.get("initContainers"):
        status["initContainerStatuses"] = [
            _entry(c, "PodInitializing") for c in spec["initContainers"]
        ]


def _entry(spec: Json, reason: str) -> Json:
    return {
        "name": spec["name"],
        "image": spec["image"],
        "imageID": "",
        "ready": False,
        "started": False,
        "restartCount": 0,
        "state": {"waiting": {"reason": reason}},
        "lastState": {},
    }


def _advance_containers(pod: Json, step: Step, needs: Needs) -> None:
    spec, status = pod["spec"], step.status
    for one, entry in zip(
        spec.get("initContainers") or (), status.get("initContainerStatuses") or (), strict=True
    ):
        if not _ended_well(entry):
            _Container(pod, one, entry, step, needs, ends=True).advance()
            return
    ends = spec.get("restartPolicy", "Always") != "Always"
    for one, entry in zip(spec["containers"], status["containerStatuses"], strict=True):
        _Container(pod, one, entry, step, needs, ends=ends).advance()


@dataclass
class _Container:
    pod: Json
    spec: Json
    entry: Json
    step: Step
    needs: Needs
    ends: bool

    def advance(self) -> None:
        state = self.entry["state"]
        if "running" in state:
            self._runs()
        elif "terminated" in state:
            self._was_ended(state["terminated"])
        else:
            self._waits(state["waiting"])

    def _waits(self, waiting: Json) -> None:
        image, reason = self.spec["image"], waiting["reason"]
        if tag_of(image) == "missing" or image.startswith("registry.invalid/"):
            self._pull_fails(image, reason)
        elif problem := self.needs.environment.get(self.spec["name"]):
            if waiting.get("message") != problem:
                self.step.tell("Warning", "Failed", f"Error: {problem}")
            self._wait_for("CreateContainerConfigError", problem)
            self.step.wait(_LOOK_AGAIN)
        else:
            self._start()

    def _pull_fails(self, image: str, reason: str) -> None:
        words = f'failed to resolve reference "{image}": not found'
        if reason == "ErrImagePull":
            self.step.tell("Normal", "BackOff", f'Back-off pulling image "{image}"')
            self._wait_for("ImagePullBackOff", f'Back-off pulling image "{image}": {words}')
        elif reason != "ImagePullBackOff":
            self.step.tell("Warning", "Failed", f'Failed to pull image "{image}": {words}')
            self._wait_for("ErrImagePull", words)

    def _start(self) -> None:
        self.step.tell("Normal", "Started", f"Container started: {self.spec['name']}")
        name = f"{self.pod['metadata']['uid']}/{self.spec['name']}/{self.entry['restartCount']}"
        self.entry |= {
            "state": {"running": {"startedAt": now()}},
            "imageID": f"docker.io/library/{self.spec['image']}",
            "containerID": f"stand-in://{name}",
        }

    def _runs(self) -> None:
        tag = tag_of(self.spec["image"])
        if tag == "oom":
            self._end(137, "OOMKilled")
        elif tag == "crash":
            self._end(1, "Error")
        elif self.ends:
            self._end(0, "Completed", self._last_words())
        else:
            self.entry |= {"started": True, "ready": True}

    def _end(self, code: int, reason: str, message: str = "") -> None:
        began = self.entry["state"]["running"]["startedAt"]
        ended = {"exitCode": code, "reason": reason, "startedAt": began, "finishedAt": now()}
        ended["containerID"] = self.entry["containerID"]
        self.entry["state"] = {"terminated": ended | ({"message": message} if message else {})}
        self.entry |= {"ready": self.ends and code == 0, "started": False}

    def _was_ended(self, ended: Json) -> None:
        if ended["exitCode"] == 0 or self.pod["spec"].get("restartPolicy") == "Never":
            return
        self.entry["lastState"] = {"terminated": ended}
        self.entry["restartCount"] += 1
        words = (
            f"restarting failed container={self.spec['name']} pod={self.pod['metadata']['name']}"
        )
        self.step.tell("Warning", "BackOff", f"Back-off {words}")
        self._wait_for("CrashLoopBackOff", f"back-off {_BACK_OFF:g}s {words}")
        self.step.wait(_BACK_OFF)

    def _last_words(self) -> str:
        if self.spec["name"] != "setup":
            return ""
        shop = any("woocommerce" in (c.get("args") or ()) for c in self._init_containers())
        said = {"wordpress": tag_of(self.spec["image"]), "woocommerce": shop, "standIn": True}
        return json.dumps(said, separators=(",", ":"))

    def _init_containers(self) -> list[Json]:
        found: list[Json] = self.pod["spec"].get("initContainers") or []
        return found

    def _wait_for(self, reason: str, message: str) -> None:
        self.entry["state"] = {"waiting": {"reason": reason, "message": message}}


def _ended_well(entry: Json) -> bool:
    return bool(entry["state"].get("terminated", {}).get("exitCode") == 0)


def _sum_up(pod: Json, status: Json) -> None:
    """Set phase and conditions from what the containers are."""
    entries: list[Json] = status["containerStatuses"]
    open_steps = [
        e["name"] for e in status.get("initContainerStatuses") or () if not _ended_well(e)
    ]
    unready = [e["name"] for e in entries if not e["ready"]]
    ended = [e["state"]["terminated"]["exitCode"] for e in entries if "terminated" in e["state"]]
    over = len(ended) == len(entries) and pod["spec"].get("restartPolicy") in ("Never", "OnFailure")
    if over:
        status["phase"] = "Failed" if any(ended) else "Succeeded"
    elif open_steps or all("waiting" in e["state"] and not e["lastState"] for e in entries):
        status["phase"] = "Pending"
    else:
        status["phase"] = "Running"
    ready = not unready and not open_steps and not over
    why = f"containers with unready status: [{' '.join(unready)}]"
    no_init = f"containers with incomplete status: [{' '.join(open_steps)}]"
    for kind, true, reason, message in (
        ("PodReadyToStartContainers", bool(status.get("podIP")), "", ""),
        ("Initialized", not open_steps, "ContainersNotInitialized", no_init),
        ("Ready", ready, "PodCompleted" if over else "ContainersNotReady", why),
        ("ContainersReady", ready, "PodCompleted" if over else "ContainersNotReady", why),
    ):
        extra = {} if true else {"reason": reason, "message": message}
        _set(status, {"type": kind, "status": "True" if true else "False", **extra})


def _set(status: Json, new: Json) -> None:
    found: list[Json] = status.get("conditions") or []
    old = next((c for c in found if c["type"] == new["type"]), None)
    if old is not None and {k: old.get(k) for k in new} == new:
        return
    since = old["lastTransitionTime"] if old and old["status"] == new["status"] else now()
    rest = [c for c in found if c["type"] != new["type"]]
    status["conditions"] = [*rest, {**new, "lastTransitionTime": since}]
