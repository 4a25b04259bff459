"""Plans: what a store may use. Quantities are Kubernetes quantities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


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
    pods: int
    claims: int = 2


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


PLANS: Final[dict[str, Plan]] = {
    plan.name: plan
    for plan in (
        Plan(
            "small",
            "A young shop: some hundred products, a few visitors at a time",
            Share("100m", "1", "256Mi", "512Mi", "2Gi"),
            Share("100m", "1", "512Mi", "768Mi", "4Gi"),
            Quota("1", "6", "2Gi", "4Gi", "6Gi", 10),
            workers=8,
            buffer_pool="96M",
        ),
        Plan(
            "medium",
            "A busy shop: some thousand products, dozens of visitors at a time",
            Share("250m", "2", "512Mi", "1Gi", "10Gi"),
            Share("250m", "2", "1Gi", "1536Mi", "10Gi"),
            Quota("2", "10", "4Gi", "7Gi", "20Gi", 12),
            workers=16,
            buffer_pool="384M",
        ),
        Plan(
            "large",
            "A large shop: ten thousand products and campaigns",
            Share("500m", "4", "1Gi", "2Gi", "40Gi"),
            Share("500m", "4", "2Gi", "3Gi", "40Gi"),
            Quota("4", "20", "8Gi", "14Gi", "80Gi", 14),
            workers=32,
            buffer_pool="1G",
        ),
    )
}
ENGINES: Final[dict[str, str]] = {
    "woocommerce": "A WooCommerce shop; Ready means that an order can be placed now",
    "wordpress": "WordPress without the shop; nothing to download",
}
