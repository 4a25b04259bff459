"""A newer core and a newer WooCommerce: the database follows, and never goes back."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.setup import needs
from tests.setup.conftest import MakeShop, Shelf
from tests.setup.database import Database
from tests.setup.gate import Trap
from tests.setup.shop import Shop
from tests.setup.state import end_state, remains

Named = Callable[[str, str], Path]


def before_write(which: int) -> Trap:
    """Choose a write by its number."""
    return lambda count, _: count == which


def roll(shop: Shop, image: Path) -> None:
    """Bring the shop's pod to another image."""
    shop.image = image
    shop.prepare().ended(0)


def test_an_older_database_of_wordpress_is_upgraded_once(shop: Shop, database: Database) -> None:
    shop.setup().ended(0)
    version = database.option("db_version")
    # That of WordPress 5.9, whose tables are those of today.
    database.set_option("db_version", "51917")
    shop.setup().ended(0, '"changed":"database upgraded"')
    assert database.option("db_version") == version
    shop.setup().ended(0, '"changed":"nothing"')


def test_a_newer_core_brings_its_database(
    shop: Shop, database: Database, shelf: Shelf, named: Named
) -> None:
    newer = named(needs.WORDPRESS_NEW, "WordPress")
    before = shop.setup().ended(0).said["wordpress"]
    old = end_state(database)
    sold = needs.release(os.environ, needs.WOOCOMMERCE) if shop.engine == "woocommerce" else None
    roll(shop, shelf.image(newer, sold))
    run = shop.setup().ended(0)
    assert run.said["wordpress"] != before
    code = shop.php("global $wp_db_version; echo $wp_db_version;")
    assert database.option("db_version") == code
    assert run.said["changed"] == ("nothing" if ["db_version", code] in old["options"] else
                                   "database upgraded")  # fmt: skip
    for part in ("users", "posts", "terms"):
        assert end_state(database)[part] == old[part]
    assert remains(database) == {}
    shop.setup().ended(0, '"changed":"nothing"')


@pytest.fixture
def old_shop(make_shop: MakeShop, named: Named) -> Shop:
    """An empty shop of the older WooCommerce."""
    return make_shop("woocommerce", woocommerce=named(needs.WOOCOMMERCE_OLD, "WooCommerce"))


@pytest.fixture
def newer(shelf: Shelf, named: Named) -> Path:
    """The image with the same core and the newer WooCommerce."""
    return shelf.image(needs.wordpress(os.environ), named(needs.WOOCOMMERCE, "WooCommerce"))


def test_a_newer_woocommerce_brings_its_database(
    old_shop: Shop, database: Database, newer: Path
) -> None:
    shop, older = old_shop, old_shop.image
    before = shop.setup().ended(0).said
    products = end_state(database)["products"]
    # What the older version left to do before it is none of set-up's business.
    roll(shop, newer)
    run = shop.setup().ended(0, f"upgraded from {before['woocommerce']}")
    assert run.said["woocommerce"] != before["woocommerce"]
    for option in ("woocommerce_version", "woocommerce_db_version"):
        assert database.option(option) == run.said["woocommerce"]
    assert run.said["order"] == before["order"], "another order was placed"
    assert end_state(database)["products"] == products
    assert remains(database) == {}
    queued = database.sql(
        "SELECT hook FROM wp_actionscheduler_actions WHERE status = 'pending' AND "
        "hook IN ('woocommerce_run_update_callback', 'woocommerce_update_db_to_current_version')"
    )
    assert queued == [], "left to cron"
    shop.setup().ended(0, '"changed":"nothing"')
    # And back: the image's older WooCommerce replaces nothing.
    roll(shop, older)
    again = shop.setup().ended(0, '"changed":"nothing"')
    assert again.said["woocommerce"] == run.said["woocommerce"]


def test_an_upgrade_that_was_killed_is_mended(
    old_shop: Shop, database: Database, newer: Path
) -> None:
    shop = old_shop
    shop.setup().ended(0)
    roll(shop, newer)
    dump = database.dump()
    shop.setup().ended(0)
    writes = shop.gate.writes
    whole = end_state(database)
    for point in range(2, writes, max(1, writes // 4)):
        database.load(dump)
        shop.kill_before(before_write(point))
        shop.setup().ended(0)
        found = end_state(database)
        for part in ("tables", "users", "products", "posts", "shipping"):
            assert found[part] == whole[part], f"killed before write {point}"
        assert database.option("woocommerce_db_version") == database.option("woocommerce_version")
        assert remains(database) == {}


def test_a_database_of_a_newer_woocommerce_is_left_alone(
    make_shop: MakeShop, database: Database
) -> None:
    shop = make_shop("woocommerce")
    shop.setup().ended(0)
    database.set_option("woocommerce_version", "99.1.0")
    shop.setup().ended(70, "newer than", "99.1.0")
    assert database.option("woocommerce_version") == "99.1.0"
