"""Label selectors and field selectors, as query parameters and inside objects.

The grammar is that of ``k8s.io/apimachinery/pkg/labels``: ``a=b,c!=d,e in (f,g),h,!i,j>3``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.sandbox.errors import ApiError, bad_request
from orchestrator.sandbox.resources import Resource
from orchestrator.sandbox.values import Json, dig

Labels = Mapping[str, str]

_KEY = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?(?:/[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_REQUIREMENT = re.compile(
    rf"\s*(?:(?P<absent>!)\s*(?P<gone>{_KEY})"
    rf"|(?P<key>{_KEY})\s*(?:(?P<set>in|notin)\s*\((?P<values>[^()]*)\)"
    rf"|(?P<op>==|!=|=|<|>)\s*(?P<value>[-A-Za-z0-9_.]*))?)\s*"
)
_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


@dataclass(frozen=True)
class Requirement:
    """One condition on one label."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Labels) -> bool:
        """Say whether the labels meet it."""
        there = self.key in labels
        value = labels.get(self.key, "")
        if self.operator == "in":
            return there and value in self.values
        if self.operator == "notin":
            return not there or value not in self.values
        if self.operator in ("exists", "absent"):
            return there is (self.operator == "exists")
        return there and self._compares(value)

    def _compares(self, value: str) -> bool:
        (bound,) = self.values
        if not (value.lstrip("-").isdigit() and bound.lstrip("-").isdigit()):
            return False
        return int(value) > int(bound) if self.operator == ">" else int(value) < int(bound)


@dataclass(frozen=True)
class LabelSelector:
    """All of the requirements."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Labels | None) -> bool:
        """Say whether the labels meet every requirement."""
        return all(r.matches(labels or {}) for r in self.requirements)


def parse_labels(text: str | None) -> LabelSelector:
    """Return the selector of a query parameter; raises 400."""
    requirements: list[Requirement] = []
    position = 0
    text = (text or "").strip()
    while position < len(text):
        found = _REQUIREMENT.match(text, position)
        rest = text[found.end() :] if found else text
        if found is None or (rest and not rest.startswith(",")) or rest == ",":
            raise _unparsable(text, rest)
        requirements.append(_requirement(found, text))
        position = found.end() + 1
    return LabelSelector(tuple(requirements))


def _unparsable(text: str, rest: str) -> ApiError:
    near = rest.strip(" ,") or text
    return bad_request(
        f"unable to parse requirement: found '{near}', expected: ',' or 'end of string'"
    )


def _requirement(found: re.Match[str], text: str) -> Requirement:
    if found["absent"]:
        return Requirement(found["gone"], "absent")
    if found["set"]:
        values = frozenset(v.strip() for v in found["values"].split(","))
    elif found["op"]:
        values = frozenset([found["value"]])
    else:
        return Requirement(found["key"], "exists")
    for value in values:
        if not _VALUE.fullmatch(value):
            raise _unparsable(text, value)
    operators = {"=": "in", "==": "in", "!=": "notin", "<": "<", ">": ">"}
    return Requirement(found["key"], found["set"] or operators[found["op"]], values)


def of_object(selector: Json | None) -> LabelSelector:
    """Return the selector of a LabelSelector object; None selects everything."""
    found = [
        Requirement(k, "in", frozenset([v]))
        for k, v in ((selector or {}).get("matchLabels") or {}).items()
    ]
    operators = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "absent"}
    for item in (selector or {}).get("matchExpressions") or ():
        values = frozenset(item.get("values") or ())
        found.append(Requirement(item["key"], operators[item["operator"]], values))
    return LabelSelector(tuple(found))


def text_of(selector: Json | None) -> str:
    """Return a LabelSelector object as a query parameter writes it."""
    parts = []
    for r in sorted(of_object(selector).requirements, key=lambda r: r.key):
        values = ",".join(sorted(r.values))
        if r.operator == "exists":
            parts.append(r.key)
        elif r.operator == "absent":
            parts.append(f"!{r.key}")
        elif r.operator == "in" and len(r.values) == 1:
            parts.append(f"{r.key}={values}")
        else:
            parts.append(f"{r.key} {r.operator} ({values})")
    return ",".join(parts)


_FIELDS: dict[str, frozenset[str]] = {
    "Pod": frozenset(
        ("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
         "spec.hostNetwork", "status.phase", "status.podIP", "status.nominatedNodeName")
    ),
    "Event": frozenset(
        ("involvedObject.kind", "involvedObject.namespace", "involvedObject.name",
         "involvedObject.uid", "involvedObject.apiVersion", "involvedObject.resourceVersion",
         "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type")
    ),
    "Namespace": frozenset(("status.phase",)),
    "Node": frozenset(("spec.unschedulable",)),
    "Secret": frozenset(("type",)),
    "Service": frozenset(("spec.clusterIP", "spec.type")),
    "ReplicaSet": frozenset(("status.replicas",)),
    "Job": frozenset(("status.successful",)),
}  # fmt: skip


@dataclass(frozen=True)
class FieldSelector:
    """Equalities and inequalities of fields."""

    terms: tuple[tuple[tuple[str, ...], bool, str], ...] = ()

    def matches(self, obj: Json) -> bool:
        """Say whether the object meets every term."""
        return all((_shown(dig(obj, *path)) == value) is equal for path, equal, value in self.terms)

    @property
    def name(self) -> str | None:
        """The one name that is selected, if there is one."""
        wanted = (v for path, equal, v in self.terms if equal and path == ("metadata", "name"))
        return next(wanted, None)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def parse_fields(resource: Resource, text: str | None) -> FieldSelector:
    """Return the selector of a query parameter; raises 400 for fields that cannot be selected."""
    terms = []
    allowed = _FIELDS.get(resource.kind, frozenset()) | {"metadata.name", "metadata.namespace"}
    for term in filter(None, (text or "").split(",")):
        found = re.fullmatch(r"([^=!]+)(==|!=|=)(.*)", term)
        if found is None:
            raise bad_request(f"invalid selector: '{term}'; can't understand '{term}'")
        field, operator, value = found[1].strip(), found[2], found[3].strip()
        if field not in allowed:
            raise _unsupported(resource, field)
        terms.append((tuple(field.split(".")), operator != "!=", value))
    return FieldSelector(tuple(terms))


def _unsupported(resource: Resource, field: str) -> ApiError:
    if resource.kind in _FIELDS:
        return bad_request(f"field label not supported: {field}")
    return bad_request(
        f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"'
    )


Predicate = Callable[[Json], bool]


def predicate(labels: LabelSelector, fields: FieldSelector) -> Predicate:
    """Return one test for both selectors."""

    def test(obj: Json) -> bool:
        return labels.matches(obj["metadata"].get("labels")) and fields.matches(obj)

    return test
