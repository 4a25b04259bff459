"""A whole shop: Ready means that an order can be placed now, and nothing of the proof is left."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import time
from typing import Any

from tests.e2e.conftest import Installation
from tests.e2e.shop import Shop
from tests.system.server import ROOT, events, poll

PROVEN = re.compile(
    r"^The shop is set up: WordPress \S+, WooCommerce \S+; "
    r"order \d+ was placed and removed in \d+ ms; changed: "
)

STAYING = ("orders", "products", "pages")


def place_order(shop: Shop) -> int:
    """Buy something by the script for people; return the order's number."""
    host, port = shop.where()
    done = subprocess.run(
        ["sh", str(ROOT / "tests" / "smoke" / "order.sh"), shop.document()["url"]],
        env={"PATH": os.environ["PATH"], "ORDER_CONNECT_TO": f"{host}:{port}"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    found = re.search(r"order (\d+) was placed", done.stdout)
    assert found is not None
    return int(found[1])


def in_the_books(shop: Shop) -> Any:
    """Return what WooCommerce holds: orders, products, customers, carts, reserved stock."""
    return json.loads(
        shop.php(
            """global $wpdb; $count = fn($t) => (int) $wpdb->get_var("SELECT COUNT(*) FROM wp_$t");
            echo json_encode(array(
                "orders" => wc_get_orders(array("limit" => -1, "return" => "ids")),
                "products" => array_map(fn($p) => $p->get_sku(), wc_get_products(
                    array("limit" => -1, "status" => array("publish", "draft", "trash", "private"),
                        "orderby" => "id", "order" => "ASC"))),
                "pages" => count(get_posts(array("post_type" => "page", "numberposts" => -1))),
                "statistics" => $count("wc_order_stats") + $count("wc_order_product_lookup"),
                "customers" => $count("wc_customer_lookup"),
                "carts" => $count("woocommerce_sessions"),
                "reserved" => $count("wc_reserved_stock")));"""
        )
    )


def setup_message(shop: Shop) -> str:
    """Return what SetupComplete says."""
    found = {c["type"]: c["message"] for c in shop.document()["conditions"]}
    message: str = found["SetupComplete"]
    return message


def test_ready_means_that_an_order_was_taken_and_nothing_of_it_is_left(market: Shop) -> None:
    message = setup_message(market)
    assert PROVEN.match(message), message
    said = [e["message"] for e in events(market.api, market.id)]
    assert any(PROVEN.match(text.removeprefix("SetupComplete is True: ")) for text in said), said
    books = in_the_books(market)
    assert books["orders"] == []
    assert books["products"] == ["demo-mug", "demo-shirt", "demo-bag"]
    assert [books[k] for k in ("statistics", "customers", "carts", "reserved")] == [0, 0, 0, 0]


def test_a_customer_buys_and_the_administrator_sees_it(market: Shop) -> None:
    # A visit to wp-admin, even an anonymous one, closes a shop that did not say "open".
    assert market.site().get("/wp-admin/").status_code == 302
    number = place_order(market)
    listed = market.admin().get("/wp-admin/admin.php", params={"page": "wc-orders"})
    assert listed.status_code == 200
    assert f"#{number}" in listed.text and "Order Smoke" in listed.text
    shown = market.site().get("/wp-json/wc/store/v1/products", params={"slug": "mug"}).json()
    assert [(p["name"], p["prices"]["currency_code"]) for p in shown] == [("Mug", "EUR")]


def test_set_up_repeated_changes_nothing_and_places_no_order(market: Shop) -> None:
    place_order(market)
    before = in_the_books(market)
    first = setup_message(market)
    market.down_and_up("wordpress")
    again = setup_message(market)
    assert again.endswith("changed: nothing")
    assert again.partition("; changed")[0] == first.partition("; changed")[0]
    after = in_the_books(market)
    # Statistics are the scheduler's, which may be at work meanwhile.
    assert [after[k] for k in STAYING] == [before[k] for k in STAYING]


def test_a_shop_without_products_takes_an_order_too(selling: Installation) -> None:
    selling.begin("empty", engine="woocommerce", options={"demoProducts": False})
    shop = selling.shop("empty")
    assert PROVEN.match(setup_message(shop))
    assert in_the_books(shop)["products"] == []
    assert shop.site().get("/wp-json/wc/store/v1/products").json() == []


def test_a_set_up_killed_at_random_moments_ends_well(selling: Installation, market: Shop) -> None:
    """``URUMI_TEST_KILLS`` is how often (3); the moments are by ``URUMI_TEST_SEED``."""
    seed = int(os.environ.get("URUMI_TEST_SEED") or random.randrange(2**31))
    print(f"set-up killed: seed {seed}")
    chance = random.Random(seed)
    shop = selling.begin("killed", engine="woocommerce")
    killed: set[str] = set()

    def setting_up() -> str | None:
        pods = shop.get("pods", "-l", "app.kubernetes.io/component=wordpress")["items"]
        for pod in pods:
            uid, states = pod["metadata"]["uid"], pod["status"].get("initContainerStatuses", [])
            running = [s["name"] for s in states if "running" in s["state"]]
            if uid not in killed and "setup" in running:
                killed.add(uid)
                name: str = pod["metadata"]["name"]
                return name
        return None

    for _ in range(int(os.environ.get("URUMI_TEST_KILLS") or 3)):
        name = poll(setting_up, seconds=120, what="set-up running in a new pod")
        time.sleep(chance.uniform(0, 3))  # the moment itself, not a wait for something
        shop.kill(name)
    shop.come_up()
    assert PROVEN.match(setup_message(shop)), setup_message(shop)
    here, there = in_the_books(shop), in_the_books(market)
    assert here["orders"] == []
    assert (here["products"], here["pages"]) == (there["products"], there["pages"])
    assert [here[k] for k in ("statistics", "customers", "carts", "reserved")] == [0, 0, 0, 0]
    place_order(shop)
