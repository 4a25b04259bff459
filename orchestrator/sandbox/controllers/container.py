"""The life of one simulated container: pull, configuration, start, and how it ends.

``advance`` changes the container's status entry as far as it can go now, and says what it waits
for. Tags of the image provoke failures: ``missing``, ``crash``, ``oom``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from orchestrator.sandbox.controllers import images, needs, pace
from orchestrator.sandbox.controllers.access import Access
from orchestrator.sandbox.controllers.common import name_of, now, space_of
from orchestrator.sandbox.controllers.pace import Pace
from orchestrator.sandbox.controllers.recorder import Recorder
from orchestrator.sandbox.values import Json, clone

_KUBELET: Final = "kubelet"
_LONGEST_BACK_OFF: Final = 300.0


@dataclass(frozen=True)
class Context:
    """What every container of a node shares."""

    access: Access
    pace: Pace
    recorder: Recorder
    pulled: set[str]


@dataclass
class Wait:
    """A container that is not where it is going: seconds until it moves, None for an event."""

    seconds: float | None


@dataclass
class Container:
    """One container of a pod: what is asked for and what is."""

    context: Context
    pod: Json
    spec: Json
    entry: Json
    init: bool

    def advance(self) -> Wait | None:
        """Go on as far as possible; None when it has arrived where it stays."""
        while True:
            before = json.dumps(self.entry["state"], sort_keys=True)
            wait = self._step()
            if wait is not None:
                return wait
            if before == json.dumps(self.entry["state"], sort_keys=True):
                return None

    def _step(self) -> Wait | None:
        state = self.entry["state"]
        if "running" in state:
            return self._runs()
        if "terminated" in state:
            return self._ended(state["terminated"])
        return self._waits(state["waiting"])

    # Waiting

    def _waits(self, waiting: Json) -> Wait | None:
        if waiting.get("reason") == "CrashLoopBackOff":
            wait = self._backs_off()
            if wait is None:
                self._start()
            return wait
        wait = self._pulls()
        if wait is not None:
            return wait
        problem = needs.misconfigured(self.pod, self.spec, self.context.access)
        if problem:
            if waiting.get("message") != problem:
                self._warn("Failed", f"Error: {problem}")
            self._wait_for("CreateContainerConfigError", problem)
            return Wait(None)
        self._start()
        return None

    def _pulls(self) -> Wait | None:
        image = self.spec["image"]
        policy = self.spec.get("imagePullPolicy")
        if images.tag_of(image) == images.MISSING:
            return self._pull_fails(image)
        if self.entry["imageID"] or self.entry["state"]["waiting"].get("message"):
            return None
        if image in self.context.pulled and policy != "Always":
            self._tell_once("Pulled", f'Container image "{image}" already present on machine')
            return None
        left = self._remaining(f"pull {image}", pace.PULL)
        self._tell_once("Pulling", f'Pulling image "{image}"')
        if left:
            return Wait(left)
        self.context.pulled.add(image)
        self._tell_once("Pulled", f'Successfully pulled image "{image}" (simulated)')
        return None

    def _pull_fails(self, image: str) -> Wait:
        waiting = self.entry["state"]["waiting"]
        words = images.pull_failure(image)
        if waiting.get("reason") not in ("ErrImagePull", "ImagePullBackOff"):
            left = self._remaining(f"pull {image}", pace.PULL)
            self._tell_once("Pulling", f'Pulling image "{image}"')
            if left:
                return Wait(left)
            self._warn("Failed", f'Failed to pull image "{image}": {words}')
            self._warn("Failed", "Error: ErrImagePull")
            self._wait_for("ErrImagePull", words)
        if self.entry["state"]["waiting"]["reason"] == "ErrImagePull":
            left = self._remaining(f"back off {image}", pace.INIT)
            if left:
                return Wait(left)
            self._event("BackOff", f'Back-off pulling image "{image}"')
            self._warn("Failed", "Error: ImagePullBackOff")
            self._wait_for("ImagePullBackOff", f'Back-off pulling image "{image}": {words}')
        return Wait(None)

    def _backs_off(self) -> Wait | None:
        count = self.entry["restartCount"]
        seconds = min(10.0 * 2.0 ** min(count - 1, 10), _LONGEST_BACK_OFF)
        uid = self.pod["metadata"]["uid"]
        left = self.context.pace.back_off(uid, f"{self._name} wait {count}", seconds)
        if left:
            return Wait(left)
        self.entry["restartCount"] = count + 1
        return None

    # Running

    def _start(self) -> None:
        uid, count = self.pod["metadata"]["uid"], self.entry["restartCount"]
        self.entry["state"] = {"running": {"startedAt": now()}}
        self.entry |= {
            "image": images.full_name(self.spec["image"]),
            "imageID": images.identity(self.spec["image"]),
            "containerID": f"containerd://{images.digest(f'{uid}/{self._name}/{count}')}",
            "started": False,
        }
        self._event("Created", f"Container created: {self._name}")
        self._event("Started", f"Container started: {self._name}")

    def _runs(self) -> Wait | None:
        tag = images.tag_of(self.spec["image"])
        count = self.entry["restartCount"]
        if tag in (images.CRASH, images.OOM):
            left = self._remaining(f"crash {count}", pace.CRASH)
            if not left:
                self._fails(tag)
            return Wait(left) if left else None
        if self._ends:
            if self._is_setup and needs.database_away(self.pod, self.context.access):
                return Wait(None)
            left = self._remaining(f"run {count}", pace.INIT if self.init else pace.COMPLETE)
            if not left:
                self._terminate(0, "Completed", self._last_words())
            return Wait(left) if left else None
        left = 0.0
        if not self.entry.get("started"):
            slow = images.is_database(self.spec["image"])
            left = self._remaining(f"start {count}", pace.START_DATABASE if slow else pace.START)
        self.entry |= {"started": not left, "ready": not left}
        return Wait(left) if left else None

    @property
    def _is_setup(self) -> bool:
        return self.init and self._name == "setup"

    @property
    def _ends(self) -> bool:
        where = self.spec if self.init else self.pod["spec"]
        return bool(where.get("restartPolicy") != "Always")

    # Ended

    def _fails(self, tag: str) -> None:
        if tag == images.OOM:
            self._terminate(137, "OOMKilled", "")
        else:
            self._terminate(1, "Error", "simulated crash: the image is tagged so")

    def _terminate(self, code: int, reason: str, message: str) -> None:
        running = self.entry["state"]["running"]
        ended: Json = {"exitCode": code, "reason": reason} | running
        ended |= {"finishedAt": now(), "containerID": self.entry["containerID"]}
        if message:
            ended["message"] = message
        self.entry["state"] = {"terminated": ended}
        self.entry |= {"ready": self.init and code == 0, "started": False}

    def _last_words(self) -> str:
        """Return what the shop's ``setup`` leaves as its termination message."""
        if not self._is_setup:
            return ""
        said = {"simulated": True, "wordpress": images.tag_of(self.spec["image"])}
        return json.dumps(said, separators=(",", ":"))

    def _ended(self, ended: Json) -> Wait | None:
        policy = self.pod["spec"].get("restartPolicy")
        if ended["exitCode"] == 0 or policy == "Never":
            return None
        self.entry["lastState"] = {"terminated": ended}
        count = self.entry["restartCount"]
        if count == 0:
            self.entry["restartCount"] = 1
            self._start()
            return None
        pod = f"{name_of(self.pod)}_{space_of(self.pod)}({self.pod['metadata']['uid']})"
        seconds = int(min(10.0 * 2.0 ** min(count - 1, 10), _LONGEST_BACK_OFF))
        failed = f"restarting failed container={self._name} pod={pod}"
        self._warn("BackOff", f"Back-off {failed}")
        self._wait_for("CrashLoopBackOff", f"back-off {seconds}s {failed}")
        return None

    # Words

    @property
    def _name(self) -> str:
        name: str = self.spec["name"]
        return name

    def _remaining(self, step: str, seconds: float) -> float:
        uid = self.pod["metadata"]["uid"]
        return self.context.pace.remaining(uid, f"{self._name} {step}", seconds)

    def _wait_for(self, reason: str, message: str) -> None:
        self.entry["state"] = {"waiting": {"reason": reason, "message": message}}

    @property
    def _path(self) -> str:
        return f"spec.{'initContainers' if self.init else 'containers'}{{{self._name}}}"

    def _event(self, reason: str, message: str) -> None:
        self.context.recorder.normal(self.pod, _KUBELET, reason, message, self._path)

    def _tell_once(self, reason: str, message: str) -> None:
        self.context.recorder.normal_once(self.pod, _KUBELET, reason, message, self._path)

    def _warn(self, reason: str, message: str) -> None:
        self.context.recorder.warning(self.pod, _KUBELET, reason, message, self._path)


def _mount(mount: Json) -> Json:
    shown = {"name": mount["name"], "mountPath": mount["mountPath"]}
    if mount.get("readOnly"):
        shown |= {"readOnly": True, "recursiveReadOnly": "Disabled"}
    return shown


def new_entry(spec: Json, reason: str) -> Json:
    """Return the status of a container that has not started."""
    mounts = [_mount(mount) for mount in spec.get("volumeMounts") or ()]
    return ({"volumeMounts": mounts} if mounts else {}) | {
        "resources": clone(spec.get("resources") or {}),
        "name": spec["name"],
        "state": {"waiting": {"reason": reason}},
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "image": spec["image"],
        "imageID": "",
        "started": False,
    }
