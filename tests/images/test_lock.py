"""Pins are fetched, never invented: against a registry and a download site on loopback."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from images import lock
from tests.images.site import MYSQL, PLUGIN, THEME, WORDPRESS, Site, archive, sha256

Break = Callable[[Site], Any]
Capture = pytest.CaptureFixture[str]


def content(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def run(path: Path, *command: str) -> int:
    return lock.main(["--lock", str(path), *command])


def test_everything_is_pinned_by_what_its_source_says(site: Site, lock_file: Path) -> None:
    before = content(lock_file)
    assert run(lock_file, "fill") == 0
    after = content(lock_file)
    assert after["wordpress"] == before["wordpress"] | {"digest": WORDPRESS}
    assert after["mysql"] == before["mysql"] | {"digest": MYSQL}
    for name, path in (("woocommerce", PLUGIN), ("storefront", THEME)):
        assert after[name] == before[name] | {"sha256": sha256(site.archives[path])}
    assert "GET /token?scope=repository%3Alibrary%2Fmysql%3Apull&service=registry" in site.asked


def test_what_is_pinned_is_not_asked_for_again(site: Site, lock_file: Path) -> None:
    run(lock_file, "fill")
    first = lock_file.read_bytes()
    site.asked.clear()
    site.manifests["/v2/library/mysql/manifests/8.4"] = WORDPRESS
    assert run(lock_file, "fill") == 0
    assert (site.asked, lock_file.read_bytes()) == ([], first)


def test_a_refresh_follows_a_tag_that_moved(site: Site, lock_file: Path) -> None:
    run(lock_file, "fill")
    site.manifests["/v2/library/mysql/manifests/8.4"] = moved = "sha256:" + "c" * 64
    assert run(lock_file, "fill", "--refresh") == 0
    assert content(lock_file)["mysql"]["digest"] == moved


def test_the_pin_of_another_version_counts_for_nothing(
    site: Site, lock_file: Path, capsys: Capture
) -> None:
    run(lock_file, "fill")
    changed = content(lock_file)
    changed["wordpress"]["image"] = f"{site.host}/library/wordpress:7.1"
    lock_file.write_text(json.dumps(changed))
    capsys.readouterr()
    assert run(lock_file, "base") == 1
    assert f"no digest of {site.host}/library/wordpress:7.1 is pinned" in capsys.readouterr().err
    site.asked.clear()
    site.manifests["/v2/library/wordpress/manifests/7.1"] = newer = "sha256:" + "d" * 64
    assert run(lock_file, "fill") == 0
    assert {line.partition("?")[0] for line in site.asked} == {
        "HEAD /v2/library/wordpress/manifests/7.1",
        "GET /token",
    }
    capsys.readouterr()
    assert run(lock_file, "base") == 0
    assert capsys.readouterr().out == f"{site.host}/library/wordpress:7.1@{newer}\n"


FAILURES: dict[str, tuple[str, Break, str]] = {
    "no such tag": ("mysql", lambda s: s.manifests.pop("/v2/library/mysql/manifests/8.4"), "404"),
    "no digest named": (
        "mysql",
        lambda s: s.manifests.update({"/v2/library/mysql/manifests/8.4": ""}),
        "named no digest",
    ),
    "a digest that is none": (
        "mysql",
        lambda s: s.manifests.update({"/v2/library/mysql/manifests/8.4": "sha256:abc"}),
        "named no digest",
    ),
    "no such version": ("woocommerce", lambda s: s.archives.pop(PLUGIN), "404"),
    "a page instead": (
        "woocommerce",
        lambda s: s.archives.update({PLUGIN: b"<html>Log in</html>"}),
        "no zip archive",
    ),
    "something else": (
        "woocommerce",
        lambda s: s.archives.update({PLUGIN: archive("hello", "1")}),
        "not woocommerce",
    ),
    "more than it": (
        "woocommerce",
        lambda s: s.archives.update({PLUGIN: archive("woocommerce", "1", **{"x.php": ""})}),
        "not woocommerce",
    ),
    "half of it": ("woocommerce", lambda s: s.cut_short.add(PLUGIN), "stopped in the middle"),
}


@pytest.mark.parametrize(("name", "broken", "why"), FAILURES.values(), ids=FAILURES)
def test_what_cannot_be_had_stays_as_it_is_and_is_said(
    site: Site, lock_file: Path, capsys: Capture, name: str, broken: Break, why: str
) -> None:
    before = content(lock_file)[name]
    broken(site)
    assert run(lock_file, "fill") == 1
    after = content(lock_file)
    assert after[name] == before and name not in after["pinnedFor"]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"not pinned: {name}: ") and why in line
    assert len(after["pinnedFor"]) == 3  # the others are none the worse


def test_a_registry_that_gives_no_token(site: Site, lock_file: Path, capsys: Capture) -> None:
    site.gives_tokens = False
    assert run(lock_file, "fill") == 1
    assert f"{site.host} gave no token" in capsys.readouterr().err
    assert content(lock_file)["wordpress"]["digest"] is None


def test_no_network_is_a_sentence(tmp_path: Path, site: Site, capsys: Capture) -> None:
    site.host = "127.0.0.1:9"  # discard: nobody listens
    path = site.lock(tmp_path / "lock.json")
    before = path.read_bytes()
    assert run(path, "fill") == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4 and all("no answer from 127.0.0.1:9" in line for line in lines)
    assert path.read_bytes() == before


def test_only_what_nobody_could_have_changed_on_the_way(
    tmp_path: Path, site: Site, capsys: Capture
) -> None:
    url = "http://downloads.example.com/woocommerce.10.5.0.zip"
    path = site.lock(tmp_path / "lock.json", woocommerce={"url": url})
    assert run(path, "fill") == 1
    assert "not encrypted" in capsys.readouterr().err


def test_an_address_of_another_version_is_refused(
    tmp_path: Path, site: Site, capsys: Capture
) -> None:
    path = site.lock(tmp_path / "lock.json", woocommerce={"version": "10.6.0"})
    assert run(path, "fill") == 1
    assert "that of another version" in capsys.readouterr().err
    assert content(path)["woocommerce"]["sha256"] is None


def test_a_write_that_fails_leaves_the_file_whole(
    lock_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = lock_file.read_bytes()

    def no_space(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", no_space)
    with pytest.raises(OSError, match="No space"):
        run(lock_file, "fill")
    assert lock_file.read_bytes() == before
    assert list(lock_file.parent.iterdir()) == [lock_file]


@pytest.mark.parametrize(
    ("image", "where"),
    [
        ("mysql:8.4", ("registry-1.docker.io", "library/mysql", "8.4")),
        ("acme/mysql:8.4", ("registry-1.docker.io", "acme/mysql", "8.4")),
        ("registry.example.com/a/b:1", ("registry.example.com", "a/b", "1")),
        ("localhost:5000/a:1", ("localhost:5000", "a", "1")),
    ],
)
def test_images_are_looked_for_where_docker_would(image: str, where: tuple[str, str, str]) -> None:
    assert lock.located(image) == where


def test_what_is_missing_is_said_all_at_once(lock_file: Path, capsys: Capture) -> None:
    assert run(lock_file, "base") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "no checksum of woocommerce 10.5.0 is pinned" in line
    assert "no checksum of storefront 4.6.1 is pinned" in line
    assert "no digest of" in line and line.endswith(
        "run `make lock-images` where there is a network"
    )


def test_the_committed_file_holds_pins_or_nothing() -> None:
    shipped = lock.read(lock.LOCK)
    fields = {name: "digest" for name in lock.IMAGES} | {name: "sha256" for name in lock.ARCHIVES}
    for name, field in fields.items():
        value = shipped[name][field]
        assert value is None or lock.pin(shipped, name) == value, name
        assert lock.subject(shipped, name)


def test_the_services_default_images_are_those_of_the_lock_file() -> None:
    from orchestrator.settings import load

    shipped, settings = lock.read(lock.LOCK), load({})
    assert settings.image_wordpress == shipped["wordpress"]["image"]
    assert settings.image_mysql == shipped["mysql"]["image"]


def test_the_image_is_named_by_both_versions(lock_file: Path, capsys: Capture) -> None:
    assert run(lock_file, "tag") == 0
    assert capsys.readouterr().out == "6.9-wc10.5.0\n"


def test_an_image_by_its_digest(lock_file: Path, capsys: Capture) -> None:
    run(lock_file, "fill")
    capsys.readouterr()
    assert run(lock_file, "image", "mysql") == 0
    assert capsys.readouterr().out.endswith(f"/library/mysql:8.4@{MYSQL}\n")
