from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.images.site import Site, on_loopback


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with on_loopback() as found:
        yield found


@pytest.fixture
def lock_file(site: Site, tmp_path: Path) -> Path:
    (folder := tmp_path / "lock").mkdir()
    return site.lock(folder / "lock.json")
