"""What several controllers ask of objects."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final

from orchestrator.sandbox.controllers.engine import Key
from orchestrator.sandbox.selectors import of_object
from orchestrator.sandbox.values import Json, clone

_SAFE: Final = "bcdfghjklmnpqrstvwxz2456789"
"""Letters of generated names: no vowels, so no words (``k8s.io/apimachinery/pkg/util/rand``)."""


def now() -> str:
    """Return this second, as the API writes times."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """Return the moment that the API wrote."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def seconds_since(text: str) -> float:
    """Return how long ago a written time was."""
    return (datetime.now(UTC) - parse_time(text)).total_seconds()


def safe_hash(value: object, length: int = 10) -> str:
    """Return a short name made of the value: the same for the same value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    return "".join(_SAFE[byte % len(_SAFE)] for byte in digest[:length])


def name_of(obj: Json) -> str:
    """Return ``metadata.name``."""
    name: str = obj["metadata"]["name"]
    return name


def space_of(obj: Json) -> str:
    """Return ``metadata.namespace``; empty for cluster-wide objects."""
    namespace: str = obj["metadata"].get("namespace", "")
    return namespace


def owner_reference(owner: Json) -> Json:
    """Return the reference by which a controller owns what it makes."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def to_owner(kind: str) -> Callable[[Json], Iterable[Key]]:
    """Return a mapper from an object to its controller of that kind."""

    def mapper(obj: Json) -> Iterable[Key]:
        for owner in obj["metadata"].get("ownerReferences") or ():
            if owner.get("controller") and owner["kind"] == kind:
                yield space_of(obj), owner["name"]

    return mapper


def deleting(obj: Json) -> bool:
    """Say whether the object is on its way out."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def selects(selector: Json | None, obj: Json) -> bool:
    """Say whether a LabelSelector object selects the object."""
    return of_object(selector).matches(obj["metadata"].get("labels"))


def find_condition(status: Json, kind: str) -> Json | None:
    """Return the condition of that type, or None."""
    found: Iterable[Json] = status.get("conditions") or ()
    return next((c for c in found if c["type"] == kind), None)


def set_condition(status: Json, new: Json, *, heartbeat: bool = False) -> None:
    """Set a condition; its times move only when it changes.

    ``heartbeat``: the kind of condition that has a ``lastUpdateTime`` too.
    """
    old = find_condition(status, new["type"])
    same = old is not None and old["status"] == new["status"]
    if same and old is not None and all(old.get(key) == new[key] for key in new):
        return
    time = now()
    stamp = {"lastTransitionTime": old["lastTransitionTime"] if same and old else time}
    if heartbeat:
        stamp["lastUpdateTime"] = time
    rest = [c for c in status.get("conditions") or () if c["type"] != new["type"]]
    status["conditions"] = [*rest, new | stamp]


def drop_condition(status: Json, kind: str) -> None:
    """Remove a condition."""
    if find_condition(status, kind) is not None:
        status["conditions"] = [c for c in status["conditions"] if c["type"] != kind]


def is_ready(pod: Json) -> bool:
    """Say whether the pod is ready."""
    found = find_condition(pod.get("status", {}), "Ready")
    return found is not None and found["status"] == "True"


def is_available(pod: Json, seconds: float) -> bool:
    """Say whether the pod has been ready for so long."""
    found = find_condition(pod.get("status", {}), "Ready")
    if found is None or found["status"] != "True":
        return False
    return not seconds or seconds_since(found["lastTransitionTime"]) >= seconds


def finished(pod: Json) -> bool:
    """Say whether the pod has ended for good."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def active(pod: Json) -> bool:
    """Say whether the pod counts as a replica."""
    return not finished(pod) and not deleting(pod)


def pod_from(template: Json, owner: Json, labels: dict[str, str]) -> Json:
    """Return a pod of the template, without a name."""
    meta = template.get("metadata") or {}
    made: Json = {
        "namespace": space_of(owner),
        "labels": dict(meta.get("labels") or {}) | labels,
        "ownerReferences": [owner_reference(owner)],
    }
    for field in ("annotations", "finalizers"):
        if meta.get(field):
            made[field] = clone(meta[field])
    return {"apiVersion": "v1", "kind": "Pod", "metadata": made, "spec": clone(template["spec"])}
