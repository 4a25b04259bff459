"""Storage: versions that only rise, past events, and what survives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.sandbox import resources
from orchestrator.sandbox.errors import ApiError
from orchestrator.sandbox.storage import Storage

MAPS = resources.of("ConfigMap")


def configmap(name: str, **more: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": "shop", "uid": f"uid-{name}"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta} | more


def test_every_write_has_a_version_of_its_own(storage: Storage) -> None:
    first = storage.put(MAPS, configmap("a"))
    second = storage.put(MAPS, configmap("a", data={"x": "1"}))
    last = storage.remove(MAPS, second)
    versions = [int(o["metadata"]["resourceVersion"]) for o in (first, second, last)]
    assert versions == [versions[0], versions[0] + 1, versions[0] + 2]
    assert "data" not in first, "what was stored before is not changed by what comes after"


def test_objects_and_versions_survive(tmp_path: Path) -> None:
    before = Storage(tmp_path / "s.db")
    kept = before.put(MAPS, configmap("kept"))
    before.remove(MAPS, before.put(MAPS, configmap("gone")))
    version = before.version
    after = Storage(tmp_path / "s.db")  # as after kill -9: the first one was never closed
    assert after.version == version, "a deletion's version is remembered too"
    assert after.items(MAPS) == [kept]
    assert after.by_uid("uid-kept") == kept
    assert int(after.put(MAPS, configmap("new"))["metadata"]["resourceVersion"]) == version + 1
    before.close()
    after.close()


def test_events_since_a_version(storage: Storage) -> None:
    start = storage.version
    storage.put(MAPS, configmap("a"))
    middle = storage.version
    storage.remove(MAPS, storage.put(MAPS, configmap("a", data={"x": "1"})))
    assert [e.type for e in storage.since(start)] == ["ADDED", "MODIFIED", "DELETED"]
    assert [e.type for e in storage.since(middle)] == ["MODIFIED", "DELETED"]
    assert storage.since(storage.version) == []


def test_versions_out_of_the_window_are_gone(tmp_path: Path) -> None:
    storage = Storage(tmp_path / "s.db", window=3)
    start = storage.version
    for number in range(5):
        storage.put(MAPS, configmap(f"c{number}"))
    with pytest.raises(ApiError) as refused:
        storage.since(start)
    assert (refused.value.code, refused.value.reason) == (410, "Expired")
    assert len(storage.since(start + 2)) == 3
    storage.close()


def test_a_restart_empties_the_window(tmp_path: Path) -> None:
    before = Storage(tmp_path / "s.db")
    start = before.version
    before.put(MAPS, configmap("a"))
    before.close()
    after = Storage(tmp_path / "s.db")
    assert after.since(after.version) == []
    with pytest.raises(ApiError):
        after.since(start)
    after.close()


def test_a_past_moment(storage: Storage) -> None:
    storage.put(MAPS, configmap("a", data={"x": "1"}))
    storage.put(MAPS, configmap("b"))
    moment = storage.version
    storage.put(MAPS, configmap("a", data={"x": "2"}))
    storage.remove(MAPS, storage.items(MAPS)[1])
    storage.put(MAPS, configmap("c"))
    then = storage.items_at(MAPS, "shop", moment)
    assert [(o["metadata"]["name"], o.get("data")) for o in then] == [
        ("a", {"x": "1"}),
        ("b", None),
    ]
    assert [o["metadata"]["name"] for o in storage.items(MAPS)] == ["a", "c"]


def test_a_listener_hears_until_it_stops(storage: Storage) -> None:
    heard: list[str] = []
    stop = storage.listen(lambda event: heard.append(event.object["metadata"]["name"]))
    storage.put(MAPS, configmap("a"))
    stop()
    storage.put(MAPS, configmap("b"))
    assert heard == ["a"]
