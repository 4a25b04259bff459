"""`prepare` brings WooCommerce: whole or not at all, once, and goes on where it was killed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator

import pytest

from tests.setup.archive import HEADER, Archive, release, served
from tests.setup.conftest import MakeShop
from tests.setup.shop import Shop

NEW = "10.5.0"
HALF = 300_000


@pytest.fixture
def archive() -> Iterator[Archive]:
    with served(release(NEW)) as found:
        yield found


@pytest.fixture
def shop(make_shop: MakeShop, archive: Archive) -> Shop:
    """A shop of WooCommerce whose image has none."""
    shop = make_shop("wordpress", filled=False)
    pin(shop, archive)
    # The engine is an argument of `prepare`; everything else is as in the pod.
    shop.containers["prepare"]["args"] = ["woocommerce"]
    return shop


def pin(shop: Shop, archive: Archive, version: str = NEW, body: bytes | None = None) -> None:
    digest = hashlib.sha256(archive.body if body is None else body).hexdigest()
    shop.set(woocommerce={"version": version, "url": archive.url, "sha256": digest})


def version(shop: Shop) -> str | None:
    """The version that is there, if all of it is."""
    folder = shop.volume / "plugins/woocommerce"
    if not folder.exists():
        return None
    assert (folder / "filler").stat().st_size == 256 * 4096
    text = (folder / "woocommerce.php").read_text()
    return text.partition("Version: ")[2].split()[0]


def leavings(shop: Shop) -> list[str]:
    return sorted(path.name for path in (shop.volume / "plugins").glob(".*"))


def put_old(shop: Shop, text: str = "9.9.5") -> None:
    folder = shop.volume / "plugins/woocommerce"
    folder.mkdir(parents=True)
    (folder / "woocommerce.php").write_text(HEADER.format(version=text))
    (folder / "filler").write_bytes(bytes(256 * 4096))


def test_it_comes_once(shop: Shop, archive: Archive) -> None:
    shop.prepare().ended(0, f"brought WooCommerce {NEW}")
    assert version(shop) == NEW
    assert leavings(shop) == []
    shop.prepare().ended(0)
    assert archive.asked == [None]


def test_a_download_that_was_killed_goes_on(shop: Shop, archive: Archive) -> None:
    archive.cut = HALF
    running = shop.start("prepare")
    part = shop.volume / f"plugins/.urumi-woocommerce-{NEW}.zip"
    deadline = time.monotonic() + 60
    while not part.exists() or part.stat().st_size < HALF // 2:
        assert time.monotonic() < deadline and not running.ended
        time.sleep(0.02)
    running.kill()
    running.wait()
    have = part.stat().st_size
    assert version(shop) is None
    archive.cut = None
    shop.prepare().ended(0)
    assert archive.asked == [None, f"bytes={have}-"]
    assert version(shop) == NEW
    assert leavings(shop) == []


def test_a_download_that_was_cut_short_goes_on(shop: Shop, archive: Archive) -> None:
    archive.cut = HALF
    archive.stall.set()
    shop.prepare().ended(75, "the download stopped in the middle")
    assert version(shop) is None
    archive.cut = None
    archive.asked.clear()
    shop.prepare().ended(0)
    assert archive.asked == [f"bytes={HALF}-"]
    assert version(shop) == NEW


def test_a_server_that_knows_no_ranges_begins_again(shop: Shop, archive: Archive) -> None:
    archive.ranges = False
    part = shop.volume / f"plugins/.urumi-woocommerce-{NEW}.zip"
    part.parent.mkdir(parents=True)
    part.write_bytes(archive.body[:HALF])
    shop.prepare().ended(0)
    assert archive.asked == [f"bytes={HALF}-"]
    assert version(shop) == NEW


def test_a_part_of_something_else_is_thrown_away(shop: Shop, archive: Archive) -> None:
    part = shop.volume / f"plugins/.urumi-woocommerce-{NEW}.zip"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * HALF)
    shop.prepare().ended(0)
    assert archive.asked == [f"bytes={HALF}-", None]
    assert version(shop) == NEW


def test_a_whole_part_needs_no_network(shop: Shop, archive: Archive) -> None:
    part = shop.volume / f"plugins/.urumi-woocommerce-{NEW}.zip"
    part.parent.mkdir(parents=True)
    part.write_bytes(archive.body)
    # Killed between two renames: the old folder is out of the way and the new one not there yet.
    (part.parent / ".urumi-old").mkdir()
    (part.parent / ".urumi-new").mkdir()
    shop.prepare().ended(0)
    assert archive.asked == []
    assert version(shop) == NEW
    assert leavings(shop) == []


def test_what_was_not_pinned_is_not_taken(shop: Shop, archive: Archive) -> None:
    pin(shop, archive, body=b"another")
    shop.prepare().ended(75, NEW, "not what was pinned (its checksum differs)")
    assert version(shop) is None
    assert leavings(shop) == []


@pytest.mark.parametrize("status", [404, 503])
def test_a_refusal_is_told(shop: Shop, archive: Archive, status: int) -> None:
    archive.status = status
    shop.prepare().ended(75, f"127.0.0.1 answered {status}")
    assert version(shop) is None


def test_a_network_that_is_not_there_is_told(shop: Shop, archive: Archive) -> None:
    settings = shop.settings["woocommerce"]
    shop.set(woocommerce=settings | {"url": "http://127.77.0.0:9/woocommerce.zip"})
    shop.prepare().ended(75, f"WooCommerce {NEW} could not be downloaded", "no answer from 127.77")


def test_a_name_that_climbs_out_is_not_unpacked(shop: Shop, archive: Archive) -> None:
    for name in ("woocommerce/../../climbed.php", "other/other.php", "woocommerce\\..\\x.php"):
        archive.body = release(NEW, **{name: "<?php"})
        pin(shop, archive)
        shop.prepare().ended(70, "a file that is not WooCommerce's")
        assert version(shop) is None
        assert not list(shop.volume.rglob("climbed.php"))
        (shop.volume / f"plugins/.urumi-woocommerce-{NEW}.zip").unlink(missing_ok=True)


def test_a_newer_pin_is_brought_and_an_older_one_is_not(shop: Shop, archive: Archive) -> None:
    put_old(shop)
    shop.prepare().ended(0)
    assert version(shop) == NEW
    archive.asked.clear()
    pin(shop, archive, version="9.0.0")
    shop.prepare().ended(0)
    assert version(shop) == NEW
    assert archive.asked == []


@pytest.mark.parametrize("fault", ["away", "404", "checksum", "no checksum"])
def test_what_is_there_stays_when_nothing_newer_can_be_had(
    shop: Shop, archive: Archive, fault: str
) -> None:
    put_old(shop)
    settings = shop.settings["woocommerce"]
    if fault == "away":
        shop.set(woocommerce=settings | {"url": "http://127.77.0.0:9/woocommerce.zip"})
    elif fault == "404":
        archive.status = 404
    elif fault == "checksum":
        pin(shop, archive, body=b"another")
    else:
        shop.set(woocommerce=settings | {"sha256": None})
    run = shop.prepare().ended(0)
    assert "WooCommerce stays 9.9.5" in run.out
    assert version(shop) == "9.9.5"


def test_without_a_checksum_the_way_out_is_told(shop: Shop, archive: Archive) -> None:
    shop.set(woocommerce=shop.settings["woocommerce"] | {"sha256": None})
    shop.prepare().ended(78, "make lock-images", NEW)
    assert archive.asked == []
