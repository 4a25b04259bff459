"""Server-side apply of a store's objects; see applier.py."""

from orchestrator.applier.applier import (
    KEPT,
    WORKLOADS,
    Applied,
    Applier,
    ConflictPolicy,
    Drift,
)
from orchestrator.applier.namespaces import Mark, NamespaceState

__all__ = [
    "KEPT",
    "WORKLOADS",
    "Applied",
    "Applier",
    "ConflictPolicy",
    "Drift",
    "Mark",
    "NamespaceState",
]
