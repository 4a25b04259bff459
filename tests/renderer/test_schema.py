"""Every object is valid for the Kubernetes minors that are supported."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
import yaml
from kubernetes_validate.utils import all_versions

from orchestrator.model.plans import PLANS
from orchestrator.renderer import Credentials
from tests.renderer.samples import PLATFORM, PROFILES, RENDERER, UID, make_spec, render

SUPPORTED = ("1.35", "1.36", "1.37")
OFFERED = {".".join(v.split(".")[:2]) for v in all_versions()}


def test_schemas_of_every_supported_minor_are_here() -> None:
    assert set(SUPPORTED) <= OFFERED


@pytest.mark.parametrize("version", SUPPORTED)
@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_store(version: str, profile: Any) -> None:
    secret = RENDERER.credentials("acme", UID, make_spec(), Credentials("a", "b", "c", "d", "e"))
    for obj in (*render(make_spec(plan="medium"), profile).objects, secret):
        assert kubernetes_validate.validate(obj, version, strict=True) == version


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("engine", ["woocommerce", "wordpress"])
def test_every_engine_and_plan(plan: str, engine: str) -> None:
    for obj in render(make_spec(plan=plan, engine=engine)).objects:
        kubernetes_validate.validate(obj, SUPPORTED[-1], strict=True)


@pytest.mark.parametrize("version", SUPPORTED)
@pytest.mark.parametrize("path", sorted(PLATFORM.glob("*.yaml")), ids=lambda p: p.stem)
def test_platform(version: str, path: Any) -> None:
    (obj,) = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    assert kubernetes_validate.validate(obj, version, strict=True) == version


def test_the_check_bites() -> None:
    wrong = next(o for o in render().objects if o["kind"] == "Deployment")
    wrong["spec"]["replcas"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.36", strict=True)
