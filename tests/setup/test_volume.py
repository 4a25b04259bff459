"""The volume of the shop's files: full, not writable, cut short in the middle, with newer files."""

from __future__ import annotations

import hashlib
import shutil
import time

from tests.setup.archive import release, served
from tests.setup.conftest import MakeShop
from tests.setup.shop import Shop

ROOM = 3 * 1024 * 1024
TWICE = """
cat /dev/zero >/volume/filler 2>/dev/null
sh /etc/urumi/prepare.sh {engine}; echo "first: $?"; echo "told: $(cat /dev/termination-log)"
ls -A /volume/plugins; : >/dev/termination-log; rm /volume/filler
sh /etc/urumi/prepare.sh {engine}; echo "second: $?"
for plugin in /volume/plugins/*/; do echo "there: $plugin"; done; ls -A /volume/plugins
"""


def test_a_full_volume_is_told_and_mended_once_there_is_room(make_shop: MakeShop) -> None:
    shop = make_shop("wordpress", filled=False)
    needed = sum(p.stat().st_size for p in (shop.image / "wp-content").rglob("*") if p.is_file())
    script = TWICE.format(engine="wordpress")
    run = shop.start("prepare", ["sh", "-c", script], room=2 * needed + ROOM).wait()
    assert "first: 70" in run.out, run.out
    assert "told: the volume of the shop's files is full or broken: copying" in run.out
    assert "second: 0" in run.out
    plugins = {p.name for p in (shop.image / "wp-content/plugins").iterdir() if p.is_dir()}
    for name in plugins:
        assert f"there: /volume/plugins/{name}/" in run.out
    assert ".urumi-" not in run.out.partition("second: 0")[2]


def test_a_volume_that_a_download_fills_is_told_and_mended(make_shop: MakeShop) -> None:
    shop = make_shop("wordpress", filled=False)
    needed = sum(p.stat().st_size for p in (shop.image / "wp-content").rglob("*") if p.is_file())
    # What the image has is there when the volume becomes full.
    script = "sh /etc/urumi/prepare.sh wordpress\n" + TWICE.format(engine="woocommerce")
    with served(release("10.5.0")) as archive:
        digest = hashlib.sha256(archive.body).hexdigest()
        shop.set(woocommerce={"version": "10.5.0", "url": archive.url, "sha256": digest})
        room = 2 * needed + 2 * ROOM
        run = shop.start("prepare", ["sh", "-c", script], room=room).wait()
    assert "first: 70" in run.out, run.out
    assert "told: the volume of the shop's files is full or broken" in run.out
    assert "second: 0" in run.out, run.out
    assert "there: /volume/plugins/woocommerce/" in run.out
    assert ".urumi-" not in run.out.partition("second: 0")[2]


HALF = r"""
sh /etc/urumi/prepare.sh wordpress
mkdir -p /volume/plugins/woocommerce
printf '<?php\n/*\n * Version: 10.4.0\n */\n' >/volume/plugins/woocommerce/woocommerce.php
free=$(df -k --output=avail /volume | tail -n 1)
dd if=/dev/zero of=/volume/filler bs=1k count=$((free - 1500)) 2>/dev/null
sh /etc/urumi/prepare.sh woocommerce; echo "first: $?"
grep -o 'Version: [0-9.]*' /volume/plugins/woocommerce/woocommerce.php; rm /volume/filler
sh /etc/urumi/prepare.sh woocommerce; echo "second: $?"
grep -o 'Version: [0-9.]*' /volume/plugins/woocommerce/woocommerce.php
"""


def test_no_half_of_a_release_takes_the_place_of_a_whole_one(make_shop: MakeShop) -> None:
    """The archive has room and what is in it has not."""
    shop = make_shop("wordpress", filled=False)
    needed = sum(p.stat().st_size for p in (shop.image / "wp-content").rglob("*") if p.is_file())
    with served(release("10.5.0")) as archive:
        digest = hashlib.sha256(archive.body).hexdigest()
        shop.set(woocommerce={"version": "10.5.0", "url": archive.url, "sha256": digest})
        run = shop.start("prepare", ["sh", "-c", HALF], room=2 * needed + 2 * ROOM).wait()
    before, _, after = run.out.partition("second: 0")
    assert "WooCommerce stays 10.4.0: the volume of the shop's files is full" in before, run.out
    assert "first: 0\nVersion: 10.4.0" in before
    assert "Version: 10.5.0" in after, run.out


def test_a_volume_that_cannot_be_written_is_told(make_shop: MakeShop) -> None:
    shop = make_shop("wordpress", filled=False)
    shop.read_only = True
    shop.prepare().ended(70, "cannot be written by uid 33", "fsGroup")


def test_a_copy_that_was_killed_is_made_again(make_shop: MakeShop) -> None:
    shop = make_shop("wordpress", filled=False)
    shop.prepare().ended(0)
    whole = names(shop)
    plugin = min(p for p in (shop.volume / "plugins").iterdir() if p.is_dir())
    # As a kill leaves it: some of the copy beside its place, the old one out of the way.
    away = plugin.parent / ".urumi-old"
    away.mkdir()
    plugin.rename(away / plugin.name)
    (plugin.parent / ".urumi-new").mkdir()
    (plugin.parent / ".urumi-new/half.php").write_text("<?php")
    shop.prepare().ended(0)
    assert names(shop) == whole


def test_prepare_killed_in_its_middle_is_made_good_by_the_next(make_shop: MakeShop) -> None:
    shop = make_shop("wordpress", filled=False)
    running = shop.start("prepare")
    deadline = time.monotonic() + 60
    while not list(shop.volume.glob("*/.urumi-new")) and not running.ended:
        assert time.monotonic() < deadline
    running.kill()
    running.wait()
    shop.prepare().ended(0)
    after = names(shop)
    again = make_shop("wordpress", filled=False)
    again.prepare().ended(0)
    assert after == names(again)


def test_what_the_owner_deleted_stays_away_and_the_engine_comes_back(make_shop: MakeShop) -> None:
    shop = make_shop("wordpress", filled=False)
    shop.prepare().ended(0)
    plugin = min(p for p in (shop.volume / "plugins").iterdir() if p.is_dir())
    themes = sorted(p for p in (shop.volume / "themes").iterdir() if p.is_dir())
    for gone in (plugin, *themes):
        shutil.rmtree(gone)
    shop.prepare().ended(0)
    assert not plugin.exists() and not any(t.exists() for t in themes)
    shop.setup().ended(0, "installed")  # without any theme
    engine = shop.image / "wp-content/plugins/woocommerce"
    if engine.is_dir():
        shutil.rmtree(shop.volume / "plugins/woocommerce", ignore_errors=True)
        shop.prepare().ended(0)
        assert not (shop.volume / "plugins/woocommerce").exists()
        shop.start("prepare", ["sh", "/etc/urumi/prepare.sh", "woocommerce"]).wait().ended(0)
        assert (shop.volume / "plugins/woocommerce").exists()


def test_what_the_owner_has_newer_or_besides_stays(make_shop: MakeShop) -> None:
    shop = make_shop("wordpress", filled=False)
    shop.prepare().ended(0)
    plugin = min(p for p in (shop.volume / "plugins").iterdir() if p.is_dir())
    main = plugin / f"{plugin.name}.php"
    main.write_text("<?php\n/* Version: 999.1 */")
    other = shop.volume / "plugins/other/other.php"
    other.parent.mkdir()
    other.write_text("<?php\n/* Version: 1 */")
    shop.prepare().ended(0)
    assert "999.1" in main.read_text()
    assert other.is_file()
    main.write_text("<?php\n/* Version: 0.1 */")
    shop.prepare().ended(0, f"brought plugins/{plugin.name}")
    assert "Version: 0.1" not in main.read_text()


def names(shop: Shop) -> list[str]:
    return sorted(str(p.relative_to(shop.volume)) for p in shop.volume.rglob("*"))
