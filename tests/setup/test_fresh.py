"""An empty database becomes a shop, and a second run changes nothing and says so."""

from __future__ import annotations

import json
import re

import pytest

from tests.setup.conftest import MakeShop
from tests.setup.database import PASSWORD, Database
from tests.setup.shop import ADMIN, ADMIN_PASSWORD, SALT, Shop
from tests.setup.state import end_state, remains

SECRETS = (PASSWORD, ADMIN_PASSWORD, SALT)
_OF_THE_MOMENT = re.compile(r"AUTO_INCREMENT=|INSERT INTO `wp_options` .*'_(site_)?transient_")


def lasting(dump: str) -> list[str]:
    """What of a dump stays: not the counters, and not what WordPress may forget at any time."""
    return [line for line in dump.splitlines() if not _OF_THE_MOMENT.search(line)]


def test_an_empty_database_becomes_a_shop(shop: Shop, database: Database) -> None:
    run = shop.setup().ended(0, '"changed":"installed')
    state = end_state(database)
    admin = ["admin", "owner@example.com", 'a:1:{s:13:"administrator";b:1;}']
    assert state["users"] == [admin]
    for name, value in {"blogname": "Acme Ltd", "siteurl": shop.base, "home": shop.base}.items():
        assert database.option(name) == value
    assert database.option("urumi_ready") == "1"
    assert shop.php("echo get_class(wp_authenticate('admin', 'admin-secret-1'));") == "WP_User"
    assert run.said["engine"] == shop.engine
    assert run.said["wordpress"]
    for secret in SECRETS:
        assert secret not in run.out + run.message
    if shop.engine == "woocommerce":
        assert run.said["order"]["id"] > 0
        assert json.loads(database.option("urumi_order") or "")["id"] == run.said["order"]["id"]
        assert [row[0] for row in state["products"]] == ["demo-bag", "demo-mug", "demo-shirt"]
        assert ["woocommerce_currency", "USD"] in state["options"]


def test_a_second_run_changes_nothing_and_says_so(shop: Shop, database: Database) -> None:
    shop.setup().ended(0)
    before = lasting(database.dump())
    again = shop.setup().ended(0, '"changed":"nothing"')
    assert lasting(database.dump()) == before
    assert "step configure" in again.out


@pytest.mark.parametrize("demo_products", [True, False])
def test_nothing_is_left_of_the_order_that_proves_the_shop(
    make_shop: MakeShop, database: Database, demo_products: bool
) -> None:
    shop = make_shop("woocommerce", demo_products=demo_products)
    run = shop.setup().ended(0, "an order placed and removed")
    assert remains(database) == {}
    assert run.said["order"]["milliseconds"] > 0
    assert len(end_state(database)["products"]) == (3 if demo_products else 0)


def test_the_salt_of_one_shop_is_not_that_of_another(make_shop: MakeShop) -> None:
    shop = make_shop("wordpress")
    shop.setup().ended(0)
    first = shop.php("echo AUTH_KEY;")
    shop.secrets["wordpress-salt"] = "another"
    assert shop.php("echo AUTH_KEY;") != first
    assert shop.php("echo AUTH_KEY === NONCE_KEY ? 'same' : 'different';") == "different"


def test_health_says_ready_only_after_set_up(shop: Shop) -> None:
    with shop.served():
        assert shop.get("/urumi-health.php") == 503
    shop.setup().ended(0)
    with shop.served():
        assert shop.get("/urumi-health.php") == 200
        assert shop.get(f"/?author={ADMIN}") < 500
