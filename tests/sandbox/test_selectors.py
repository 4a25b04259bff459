"""Label and field selectors."""

from __future__ import annotations

import pytest

from orchestrator.sandbox import resources
from orchestrator.sandbox.errors import ApiError
from orchestrator.sandbox.selectors import of_object, parse_fields, parse_labels, text_of

LABELS = {"app": "web", "tier": "1", "example.com/team": "shop"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("app=web", True),
        ("app==web,tier=1", True),
        ("app!=web", False),
        ("none!=x", True),
        ("app in (web, db)", True),
        ("app notin (web)", False),
        ("none notin (x)", True),
        ("app", True),
        ("!app", False),
        ("!none", True),
        ("example.com/team=shop", True),
        ("tier>0", True),
        ("tier>1", False),
        ("app=", False),
    ],
)
def test_label_selectors(text: str, matches: bool) -> None:
    assert parse_labels(text).matches(LABELS) is matches


@pytest.mark.parametrize("text", ["a in", "a in (", "a=b=c", "=b", "a b", "a=&", "a,,b", "a,"])
def test_wrong_label_selectors(text: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse_labels(text)
    assert refused.value.code == 400


def test_objects_as_selectors() -> None:
    selector = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["2", "1"]},
            {"key": "gone", "operator": "DoesNotExist"},
        ],
    }
    assert of_object(selector).matches(LABELS)
    assert text_of(selector) == "app=web,!gone,tier in (1,2)"
    assert of_object({}).matches({})


def test_field_selectors() -> None:
    pod = {"metadata": {"name": "p"}, "status": {"phase": "Running"}, "spec": {}}
    kind = resources.of("Pod")
    assert parse_fields(kind, "status.phase=Running,metadata.name!=q").matches(pod)
    assert parse_fields(kind, "spec.nodeName=").matches(pod)
    assert not parse_fields(kind, "status.phase!=Running").matches(pod)
    with pytest.raises(ApiError, match="field label not supported"):
        parse_fields(kind, "spec.nothing=1")
    with pytest.raises(ApiError, match="is not a known field selector"):
        parse_fields(resources.of("ConfigMap"), "spec.nothing=1")
