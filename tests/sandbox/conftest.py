from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.sandbox.namespaces import ensure_initial
from orchestrator.sandbox.registry import Registry
from orchestrator.sandbox.storage import Storage


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    """An empty storage."""
    opened = Storage(tmp_path / "state.db")
    yield opened
    opened.close()


@pytest.fixture
def registry(storage: Storage) -> Registry:
    """A registry with the namespaces of every cluster and ``shop``, furnished as a keeper would."""
    made = Registry(storage)
    ensure_initial(made)
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    made.create(body, manager="test")
    for kind, name, content in (
        ("ServiceAccount", "default", {}),
        ("ConfigMap", "kube-root-ca.crt", {"data": {"ca.crt": "x"}}),
    ):
        meta = {"name": name, "namespace": "shop"}
        made.create({"apiVersion": "v1", "kind": kind, "metadata": meta} | content, manager="test")
    return made
