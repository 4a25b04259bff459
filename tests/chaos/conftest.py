from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.scene import Cluster, cluster_on
from tests.ground import Ground
from tests.system.conftest import serve

__all__ = ["cluster", "serve"]


@pytest.fixture
def cluster(ground: Ground, tmp_path: Path) -> Iterator[Cluster]:
    """A cluster that can be broken."""
    with cluster_on(ground, tmp_path / "cluster") as found:
        yield found
