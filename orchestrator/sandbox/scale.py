"""The ``scale`` subresource: replicas of a workload as an ``autoscaling/v1`` Scale."""

from __future__ import annotations

from orchestrator.sandbox import selectors
from orchestrator.sandbox.errors import ApiError, FieldError, bad_request
from orchestrator.sandbox.values import Json

_META = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def read_scale(obj: Json) -> Json:
    """Return the Scale of a workload."""
    spec, status = obj["spec"], obj.get("status", {})
    replicas = spec.get("replicas", 0)
    found: Json = {"replicas": status.get("replicas", 0)}
    selector = selectors.text_of(spec.get("selector"))
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {k: obj["metadata"][k] for k in _META if k in obj["metadata"]},
        "spec": {"replicas": replicas} if replicas else {},
        "status": found | ({"selector": selector} if selector else {}),
    }


def with_scale(obj: Json, scale: Json) -> Json:
    """Return the workload with the replicas (and the resourceVersion) of a Scale."""
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if isinstance(replicas, bool) or not isinstance(replicas, int):
        raise bad_request(
            'Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal '
            "into Go struct field ScaleSpec.spec.replicas of type int32"
        )
    if replicas < 0:
        raise _negative(obj["metadata"]["name"], replicas)
    sent = scale.get("metadata") or {}
    meta = obj["metadata"] | {k: sent[k] for k in ("resourceVersion", "uid") if sent.get(k)}
    return obj | {"metadata": meta, "spec": obj["spec"] | {"replicas": replicas}}


def _negative(name: str, replicas: int) -> ApiError:
    message = f"Invalid value: {replicas}: must be greater than or equal to 0"
    cause = FieldError("spec.replicas", message)
    details = {"name": name, "group": "autoscaling", "kind": "Scale", "causes": [cause.cause()]}
    text = f'Scale.autoscaling "{name}" is invalid: spec.replicas: {message}'
    return ApiError(422, "Invalid", text, details)
