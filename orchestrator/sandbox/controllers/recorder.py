"""Events: what controllers tell people, counted instead of repeated, gone after an hour."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from orchestrator.sandbox.controllers.access import KUBELET, MANAGER, SCHEDULER, Access
from orchestrator.sandbox.controllers.common import name_of, now, safe_hash, seconds_since
from orchestrator.sandbox.controllers.engine import Key, Mapper
from orchestrator.sandbox.registry import ApiError
from orchestrator.sandbox.values import Json, clone

NODE: Final = "sandbox"
LIFETIME: Final = 3600.0
_SWEEP: Final = 300.0
_MANAGERS: Final = {"kubelet": KUBELET, "default-scheduler": SCHEDULER}


class Recorder:
    """Writes events in the name of a component."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def normal(self, obj: Json, component: str, reason: str, message: str, path: str = "") -> None:
        """Record that something went as it should."""
        self._record(obj, component, ("Normal", reason, message, path))

    def normal_once(
        self, obj: Json, component: str, reason: str, message: str, path: str = ""
    ) -> None:
        """Record it unless it is recorded already."""
        self._record(obj, component, ("Normal", reason, message, path), again=False)

    def warning(self, obj: Json, component: str, reason: str, message: str, path: str = "") -> None:
        """Record that something did not."""
        self._record(obj, component, ("Warning", reason, message, path))

    def warning_once(self, obj: Json, component: str, reason: str, message: str) -> None:
        """Record a warning unless it is recorded already."""
        self._record(obj, component, ("Warning", reason, message, ""), again=False)

    def _record(
        self, obj: Json, component: str, said: tuple[str, str, str, str], *, again: bool = True
    ) -> None:
        meta = obj["metadata"]
        namespace = meta.get("namespace") or "default"
        name = f"{name_of(obj)[:200]}.{safe_hash([meta['uid'], component, *said], 16)}"
        old = self._access.get("Event", namespace, name)
        manager = _MANAGERS.get(component, MANAGER)
        try:
            if old is None:
                self._access.create(_event(obj, component, said) | _place(namespace, name), manager)
            elif again:
                self._access.update(_counted(old), manager)
        except ApiError as error:
            # A namespace that ends takes no new events: nobody would read them.
            if error.code not in (403, 404, 409):
                raise


def _place(namespace: str, name: str) -> Json:
    return {"metadata": {"namespace": namespace, "name": name}}


def _counted(event: Json) -> Json:
    """Return the event as it is when it happens once more."""
    again: Json = clone(event)
    if event.get("eventTime"):
        count = (event.get("series") or {}).get("count", 1) + 1
        return again | {"series": {"count": count, "lastObservedTime": _micro()}}
    return again | {"count": event.get("count", 1) + 1, "lastTimestamp": now()}


def _micro() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _event(obj: Json, component: str, said: tuple[str, str, str, str]) -> Json:
    kind, reason, message, path = said
    meta, time = obj["metadata"], now()
    involved = {"kind": obj["kind"], "name": meta["name"], "uid": meta["uid"]}
    involved |= {"apiVersion": obj["apiVersion"], "resourceVersion": meta["resourceVersion"]}
    if meta.get("namespace"):
        involved["namespace"] = meta["namespace"]
    if path:
        involved["fieldPath"] = path
    host = {"host": NODE} if component == "kubelet" else {}
    times: Json = {"firstTimestamp": time, "lastTimestamp": time, "count": 1}
    times["source"] = {"component": component} | host
    if component == "default-scheduler":  # it speaks events.k8s.io/v1, which has other fields
        times = {"eventTime": _micro(), "action": "Scheduling"}
        times |= {"source": {}, "firstTimestamp": None, "lastTimestamp": None}
    return times | {
        "apiVersion": "v1",
        "kind": "Event",
        "involvedObject": involved,
        "reason": reason,
        "message": message[:1024],
        "type": kind,
        "reportingComponent": component,
        "reportingInstance": NODE if host else f"{component}-sandbox",
    }


class EventExpiry:
    """Removes events that nobody repeated for an hour."""

    def __init__(self, access: Access) -> None:
        self._access = access

    @property
    def watches(self) -> Mapping[str, Mapper]:
        """The node stands for the one sweep there is."""
        return {"Node": lambda _: ((("", "sweep")),)}

    def reconcile(self, key: Key) -> float | None:
        """Sweep, and again in five minutes."""
        for event in self._access.items("Event"):
            series = event.get("series") or {}
            last = series.get("lastObservedTime") or event.get("lastTimestamp")
            last = last or event["metadata"]["creationTimestamp"]
            if seconds_since(last) > LIFETIME:
                self._access.delete(event)
        return _SWEEP
