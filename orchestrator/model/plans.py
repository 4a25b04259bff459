"""Plans: what a store may use. Quantities are Kubernetes quantities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import yaml
from pydantic.alias_generators import to_snake

from orchestrator.model.shipped import shipped


@dataclass(frozen=True)
class Share:
    """One workload's requests and limits."""

    cpu_request: str
    cpu_limit: str
    memory_request: str
    memory_limit: str
    storage: str


@dataclass(frozen=True)
class Quota:
    """The namespace's ResourceQuota; it always admits a rolling update of the plan."""

    cpu_requests: str
    cpu_limits: str
    memory_requests: str
    memory_limits: str
    storage: str
    pods: str
    claims: str


@dataclass(frozen=True)
class Plan:
    """A size of store. ``workers`` is Apache's MaxRequestWorkers; ``buffer_pool`` InnoDB's."""

    name: str
    summary: str
    wordpress: Share
    mysql: Share
    quota: Quota
    workers: int
    buffer_pool: str


def _read() -> dict[str, Plan]:
    path = shipped("charts", "store", "files", "plans.yaml")
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {plan.name: plan for plan in (_plan(name, values) for name, values in told.items())}


def _plan(name: str, told: dict[str, Any]) -> Plan:
    return Plan(
        name=name,
        summary=told["summary"],
        wordpress=Share(**_snake(told["wordpress"])),
        mysql=Share(**_snake(told["mysql"])),
        quota=Quota(**_snake(told["quota"])),
        workers=told["workers"],
        buffer_pool=told["bufferPool"],
    )


def _snake(told: dict[str, str]) -> dict[str, str]:
    return {to_snake(key): value for key, value in told.items()}


PLANS: Final[dict[str, Plan]] = _read()
"""The plans by name, smallest first; the file is the chart's too, which reads only its own."""
ENGINES: Final[dict[str, str]] = {
    "woocommerce": "A WooCommerce shop; Ready means that an order can be placed now",
    "wordpress": "WordPress without the shop; nothing to download",
}
