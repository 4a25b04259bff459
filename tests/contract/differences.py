"""The same requests to two API servers, and what differs between their answers."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from tests.contract import vocabulary, vocabulary_pods
from tests.contract.chance import Maker, rarely, some
from tests.contract.vocabulary import meta
from tests.contract.wire import (
    API_VERSIONS,
    APPLY,
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    Api,
    collection,
)

Json = dict[str, Any]
NAMES = ("one", "two")
MAKERS: dict[str, Maker] = {
    "ConfigMap": vocabulary.config_map,
    "Secret": vocabulary.secret,
    "Service": vocabulary.service,
    "Ingress": vocabulary.ingress,
    "NetworkPolicy": vocabulary.network_policy,
    "PersistentVolumeClaim": vocabulary.claim,
    "ResourceQuota": vocabulary.quota,
    "LimitRange": vocabulary.limit_range,
    "Deployment": vocabulary_pods.deployment,
    "StatefulSet": vocabulary_pods.stateful_set,
    "CronJob": vocabulary_pods.cron_job,
    "PodDisruptionBudget": vocabulary.budget,
    "ServiceAccount": vocabulary.account,
}
_SERVERS_OWN = ("uid", "creationTimestamp", "deletionTimestamp")
_MANAGERS = ("alice", "bob", "editor", "contract")
_BY_CONTROLLERS = ("deployment.kubernetes.io/revision",)
_GIVEN = ("clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort", "volumeName")
_HELD = ("foregroundDeletion", "orphan", "kubernetes.io/pvc-protection")
_QUIET = ("ConfigMap", "Secret", "NetworkPolicy", "LimitRange", "ServiceAccount")
"""Kinds that no controller writes to between a look and a write."""
_JSON = "application/json"


@dataclass(frozen=True)
class Step:
    """A request. ``@uid`` and ``@version`` in its body are the object's own on each server."""

    method: str
    kind: str
    name: str
    body: Any = None
    media: str = _JSON
    sub: str = ""
    params: Json = field(default_factory=dict)

    def __str__(self) -> str:
        where = f"{self.kind}/{self.name}{'/' + self.sub if self.sub else ''}"
        return f"{self.method} {where} {self.params} {self.media}\n    {json.dumps(self.body)}"


def steps(seed: int, count: int) -> Iterator[Step]:
    """Return the requests that the seed stands for."""
    rng = Random(seed)
    kinds = list(MAKERS)
    for _ in range(count):
        kind = rng.choice(kinds)
        how = rng.choices(list(_WAYS), list(_WAYS.values()))[0]
        yield how(rng, kind, rng.choice(NAMES))


def _body(rng: Random, kind: str, name: str) -> Json:
    made = MAKERS[kind](rng)
    return {"apiVersion": API_VERSIONS[kind], "kind": kind, "metadata": meta(rng, name)} | made


def _params(rng: Random, **more: str) -> Json:
    return more | some(rng, {
        "dryRun": lambda r: rarely(r, ["All"], ["Some"]),
        "fieldValidation": lambda r: rarely(r, ["Strict", "Ignore", "Warn"], ["Odd"]),
    }, 0.08)  # fmt: skip


def _managed(rng: Random) -> Json:
    return _params(rng) | some(rng, {"fieldManager": ["alice", "bob", "editor"]}, 0.6)


def _apply(rng: Random, kind: str, name: str) -> Step:
    body = _body(rng, kind, name)
    if rng.random() < 0.06:
        newest = "@version" if kind in _QUIET else "1"
        body["metadata"] |= some(rng, {
            "uid": ["@uid", "00000000-0000-0000-0000-000000000000"],
            "resourceVersion": [newest, "1"],
        })  # fmt: skip
    params = _params(rng, fieldManager=rng.choice(("alice", "alice", "bob")))
    params |= {"force": "true"} if rng.random() < 0.3 else {}
    return Step("PATCH", kind, name, body, APPLY, params=params)


def _create(rng: Random, kind: str, name: str) -> Step:
    return Step("POST", kind, "", _body(rng, kind, name), params=_managed(rng))


def _update(rng: Random, kind: str, name: str) -> Step:
    return Step("PUT", kind, name, _body(rng, kind, name), params=_managed(rng))


def _part(rng: Random, kind: str) -> Json:
    """Return some of the fields of an object, some of them to be removed."""
    body = MAKERS[kind](rng)
    for part in (body, body.get("spec", {})):
        for key in list(part):
            if key != "spec" and rng.random() < 0.5:
                del part[key]
            elif key != "spec" and rng.random() < 0.1:
                part[key] = None
    if rng.random() < 0.3:
        body["metadata"] = meta(rng, "x")
        del body["metadata"]["name"]
    return body


def _merge(rng: Random, kind: str, name: str) -> Step:
    media = rng.choice((MERGE, STRATEGIC))
    return Step("PATCH", kind, name, _part(rng, kind), media, params=_managed(rng))


def _json_patch(rng: Random, kind: str, name: str) -> Step:
    one = rng.choice(("/metadata/labels", "/data/a", "/spec/ports/0", "/spec/paused", "/spec/x",
                      "/metadata/annotations", "/spec/template/spec/containers/0/image",
                      "/metadata/finalizers", "/spec/replicas"))  # fmt: skip
    value = rng.choice(({"app": "x"}, "2", ["example.com/b"], True, {"port": 80}, 0))
    operation = rng.choice(("add", "replace", "remove", "test"))
    change: Json = {"op": operation, "path": one}
    change |= {"value": value} if operation != "remove" else {}
    return Step("PATCH", kind, name, [change], JSON_PATCH, params=_managed(rng))


def _delete(rng: Random, kind: str, name: str) -> Step:
    body = some(rng, {
        "propagationPolicy": lambda r: rarely(r, ["Background", "Foreground", "Orphan"], ["Odd"]),
        "preconditions": [{"uid": "@uid"}, {"uid": "0"}, {"resourceVersion": "1"}],
        "gracePeriodSeconds": [0, 5],
        "dryRun": [["All"], []],
    }, 0.25)  # fmt: skip
    options = {"apiVersion": "v1", "kind": "DeleteOptions"} | body
    return Step("DELETE", kind, name, options if body else None)


def _release(rng: Random, kind: str, name: str) -> Step:
    """Take the finalizers away, so that what is being deleted can go."""
    return Step("PATCH", kind, name, {"metadata": {"finalizers": None}}, MERGE)


def _get(rng: Random, kind: str, name: str) -> Step:
    return Step("GET", kind, name)


_WAYS = {_apply: 55, _create: 8, _update: 8, _merge: 12, _json_patch: 5, _delete: 8, _release: 5,
         _get: 2}  # fmt: skip


@dataclass(frozen=True)
class Side:
    """One of the two servers, and the namespace that the requests go to."""

    api: Api
    space: str

    def path(self, step: Step) -> str:
        """Return the path of the step's object."""
        parts = [collection(step.kind, self.space), step.name, step.sub]
        return "/".join(part for part in parts if part)

    def send(self, step: Step) -> Json:
        """Send the step and return what is to be equal on both servers."""
        text = None
        if step.body is not None:
            text = self._filled(step, json.dumps(step.body))
        answer = self.api.http.request(
            step.method, self.path(step), params=step.params, content=text,
            headers={"content-type": step.media},
        )  # fmt: skip
        if step.method == "DELETE":
            self._settle(step)
        return comparable(answer, self.space)

    def _filled(self, step: Step, text: str) -> str:
        if "@" not in text:
            return text
        live = self.api.get(self.path(step)).json().get("metadata", {})
        text = text.replace('"@uid"', json.dumps(live.get("uid") or "0"))
        return text.replace('"@version"', json.dumps(live.get("resourceVersion") or "1"))

    def _settle(self, step: Step) -> None:
        """Wait until the controllers have let go of what was deleted."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            found = self.api.get(self.path(step)).json()
            about = found.get("metadata", {})
            held = set(about.get("finalizers") or ()) & set(_HELD)
            if "deletionTimestamp" not in about or not held:
                return
            time.sleep(0.02)


def comparable(answer: httpx.Response, space: str) -> Json:
    """Return an answer without what has to differ."""
    try:
        body = answer.json()
    except ValueError:
        body = {"text": answer.text}
    found: Json = {"code": answer.status_code}
    warnings = answer.headers.get_list("warning")
    if warnings:
        found["warnings"] = sorted(_blurred(text, space) for text in warnings)
    if body.get("kind") == "Status":
        return found | _status(body, space)
    return found | {"object": _object(body, space)}


def _status(body: Json, space: str) -> Json:
    details = body.get("details") or {}
    causes = {(c.get("reason", ""), c.get("field", "")) for c in details.get("causes") or ()}
    found = {
        "status": body.get("status"),
        "reason": body.get("reason", ""),
        "causes": [list(cause) for cause in sorted(causes)],
        "about": {k: details[k] for k in ("name", "group", "kind") if k in details},
    }
    return found if causes else found | {"message": _blurred(body.get("message", ""), space)}


def _blurred(text: str, space: str) -> str:
    text = text.replace(space, "<space>")
    # Which of several wrong fields is named, and first, is chance: Go's maps have no order.
    text = re.sub(r"(typed patch object \(.*?\): |cannot be handled as a \w+: ).*", r"\1…", text,
                  flags=re.S)  # fmt: skip
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uid>", text)
    text = re.sub(r"in record \(\d+\)", "in record (<version>)", text)
    return re.sub(r"\b10\.\d+\.\d+\.\d+\b", "<address>", text)


def _object(body: Json, space: str) -> Json:
    out: Json = json.loads(json.dumps(body).replace(space, "<space>"))
    out.pop("status", None)
    about = out.get("metadata", {})
    about.pop("resourceVersion", None)
    for key in _SERVERS_OWN:
        if key in about:
            about[key] = f"<{key}>"
    notes = about.get("annotations") or {}
    for key in _BY_CONTROLLERS:
        notes.pop(key, None)
    if not notes:
        about.pop("annotations", None)
    entries = [_entry(e) for e in about.get("managedFields") or ()]
    about["managedFields"] = sorted(
        (e for e in entries if e["manager"] in _MANAGERS),
        key=lambda e: json.dumps(e, sort_keys=True),
    )
    _hide(out.get("spec"))
    return out


def _entry(entry: Json) -> Json:
    return {k: v for k, v in entry.items() if k != "time"}


def _hide(value: Any) -> None:
    """Hide what a server gives out, whichever it is."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in _GIVEN and inner not in ("None", ["None"], "v"):
                value[key] = f"<{key}>"
            else:
                _hide(inner)
    elif isinstance(value, list):
        for inner in value:
            _hide(inner)


def differing(one: Any, two: Any, path: str = "") -> Iterator[str]:
    """Yield where two answers differ, and how."""
    if isinstance(one, dict) and isinstance(two, dict):
        for key in sorted(one.keys() | two.keys()):
            yield from differing(
                one.get(key, "<absent>"), two.get(key, "<absent>"), f"{path}.{key}"
            )
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for number, (left, right) in enumerate(zip(one, two, strict=True)):
            yield from differing(left, right, f"{path}[{number}]")
    elif one != two or type(one) is not type(two):
        yield f"{path}: real {json.dumps(one)} sandbox {json.dumps(two)}"
