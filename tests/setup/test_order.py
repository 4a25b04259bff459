"""What set-up sends out: nothing. And visitors buy in the shop that it made."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.setup.conftest import MakeShop
from tests.setup.database import Database
from tests.setup.outside import listening
from tests.setup.shop import HTTP, Shop

ORDER = Path(__file__).parents[1] / "smoke" / "order.sh"


def test_set_up_sends_no_mail_and_asks_nobody(shop: Shop, database: Database) -> None:
    with listening() as outside:
        shop.environ["http_proxy"] = shop.environ["https_proxy"] = outside.url
        shop.setup().ended(0)
        shop.setup().ended(0)
        database.set_option("db_version", "51917")
        shop.setup().ended(0, "database upgraded")
        assert shop.sent == ""
        assert outside.asked == []
        # The same traps spring for the shop itself, so they would have for set-up.
        shop.php(
            "wp_mail('owner@example.com', 'told', 'text');"
            "wp_remote_get('http://elsewhere.invalid/page');"
        )
        assert "told" in shop.sent
        assert outside.asked == ["GET http://elsewhere.invalid/page HTTP/1.1"]


@pytest.mark.parametrize("country", ["US:CA", "DE:DE-BE"])
def test_a_visitor_buys(make_shop: MakeShop, database: Database, country: str) -> None:
    shop = make_shop("woocommerce", country=country)
    evidence = shop.setup().ended(0).said["order"]
    with shop.served():
        # The first request to wp-admin would close a shop of WooCommerce's own set-up.
        assert shop.get("/wp-admin/") == 302
        done = subprocess.run(
            ["sh", str(ORDER), shop.base],
            env={
                "PATH": os.environ["PATH"],
                "ORDER_CONNECT_TO": f"{shop.gate.address}:{HTTP}",
            },
            capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    orders = database.sql("SELECT id, billing_email FROM wp_wc_orders")
    assert [email for _, email in orders] == ["order-smoke@store.invalid"]
    assert int(orders[0][0]) > evidence["id"]
    assert "order-smoke@store.invalid" in shop.sent
    shop.setup().ended(0, '"changed":"nothing"')
    assert database.sql("SELECT id, billing_email FROM wp_wc_orders") == orders
