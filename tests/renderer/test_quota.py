"""The quota's arithmetic: a rolling update of the plan is always admitted."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from orchestrator.model.kinds import Json
from orchestrator.model.plans import PLANS
from tests.renderer.samples import PROFILES, containers, find, make_spec, pod_templates, render

UNITS = {"m": Decimal("0.001"), "": Decimal(1), "Mi": Decimal(2**20), "Gi": Decimal(2**30)}
# cert-manager's HTTP-01 solver by default (ACMEHTTP01SolverResources in its documentation).
SOLVER = {
    "requests.cpu": "10m",
    "requests.memory": "64Mi",
    "limits.cpu": "100m",
    "limits.memory": "64Mi",
}


def amount(quantity: str) -> Decimal:
    match = re.fullmatch(r"(\d+)(m|Mi|Gi|)", quantity)
    assert match, quantity
    return Decimal(match[1]) * UNITS[match[2]]


def effective(template: Json, kind: str, resource: str) -> Decimal:
    """What the scheduler and the quota count: the larger of the init containers and the sum."""
    spec = template["spec"]
    main = sum(amount(c["resources"][kind][resource]) for c in spec["containers"])
    init = [amount(c["resources"][kind][resource]) for c in spec.get("initContainers", [])]
    return Decimal(max([main, *init]))


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@pytest.mark.parametrize("plan", PLANS)
def test_twice_every_pod_fits_and_a_certificate_solver(plan: str, profile: object) -> None:
    rendered = render(make_spec(plan=plan), profile)  # type: ignore[arg-type]
    hard = find(rendered, "ResourceQuota", "store")["spec"]["hard"]
    templates = [template for _, template in pod_templates(rendered)]
    for key, extra in SOLVER.items():
        kind, resource = key.split(".")
        # Each pod beside the one it replaces, which counts until it has ended.
        needed = 2 * sum(effective(t, kind, resource) for t in templates) + amount(extra)
        assert needed <= amount(hard[key]), f"{plan} {key}: {needed} > {hard[key]}"
    assert int(hard["pods"]) >= 2 * len(templates) + 1


@pytest.mark.parametrize("plan", PLANS)
def test_volumes_fit(plan: str) -> None:
    rendered = render(make_spec(plan=plan))
    hard = find(rendered, "ResourceQuota", "store")["spec"]["hard"]
    claims = [o for o in rendered.objects if o["kind"] == "PersistentVolumeClaim"]
    asked = sum(amount(c["spec"]["resources"]["requests"]["storage"]) for c in claims)
    assert asked <= amount(hard["requests.storage"])
    assert len(claims) <= int(hard["persistentvolumeclaims"])


@pytest.mark.parametrize("plan", PLANS)
def test_no_container_is_larger_than_the_limit_range_allows(plan: str) -> None:
    rendered = render(make_spec(plan=plan))
    (limit,) = find(rendered, "LimitRange", "store")["spec"]["limits"]
    assert limit["type"] == "Container", "a maximum for claims would block a smaller plan"
    for _, template in pod_templates(rendered):
        for container in containers(template):
            for resource, most in container["resources"]["limits"].items():
                assert amount(most) <= amount(limit["max"][resource])
    for resource in ("cpu", "memory"):
        assert amount(limit["defaultRequest"][resource]) <= amount(limit["default"][resource])
        assert amount(limit["default"][resource]) <= amount(limit["max"][resource])


@pytest.mark.parametrize("plan", PLANS)
def test_requests_stay_below_limits(plan: str) -> None:
    for _, template in pod_templates(render(make_spec(plan=plan))):
        for container in containers(template):
            resources = container["resources"]
            for resource in ("cpu", "memory"):
                asked, most = resources["requests"][resource], resources["limits"][resource]
                assert amount(asked) <= amount(most)


@pytest.mark.parametrize("plan", PLANS)
def test_apaches_workers_fit_into_memory(plan: str) -> None:
    # Measured: 8 workers held 40 clients in 256 MiB.
    assert PLANS[plan].workers * 32 * 2**20 <= amount(PLANS[plan].wordpress.memory_limit)
