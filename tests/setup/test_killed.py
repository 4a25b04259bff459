"""Set-up is killed before a write, its whole pod at once, and one more run mends it."""

from __future__ import annotations

import os
import random
import re

import pytest

from tests.setup import needs
from tests.setup.conftest import MakeShop
from tests.setup.database import Database
from tests.setup.shop import Shop
from tests.setup.state import State, differences, end_state, remains

PARTS = 2
POINTS = {"wordpress": 16, "woocommerce": 16}
READY = rb"urumi_ready"
MOMENTS = {
    "a category's other half": rb"INSERT INTO `wp_term_taxonomy`.*product_cat",
    "the cart's page": rb"woocommerce_cart_page_id",
    "what a setting brings with it": rb"woocommerce_admin_scheduler_last_processed_order_id",
    "the version that came first": rb"woocommerce_initial_installed_version",
    "a product is whole": rb"COMMIT",
    "the order": rb"INSERT INTO `?wp_wc_orders\b",
    "the order's address": rb"(INSERT|REPLACE) INTO `?wp_wc_order_addresses\b",
    "the cart": rb"INSERT INTO `?wp_woocommerce_sessions\b",
    "the removal of the order": rb"DELETE FROM wp_wc_orders\b",
    "the end of the removal": rb"DELETE FROM wp_actionscheduler_actions",
    "the order's number": rb"urumi_order",
}

IN_TRANSACTION = "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx"
PAGES = [
    "cart", "checkout", "my-account", "privacy-policy", "refund_returns", "sample-page", "shop",
]  # fmt: skip


@pytest.fixture(scope="module")
def expected() -> dict[str, tuple[State, int]]:
    """By engine: what an undisturbed set-up makes, and with how many writes."""
    return {}


@pytest.fixture
def undisturbed(
    shop: Shop, database: Database, expected: dict[str, tuple[State, int]]
) -> tuple[State, int]:
    """What an undisturbed set-up of this shop makes, and with how many writes."""
    if shop.engine not in expected:
        shop.setup().ended(0)
        writes = shop.gate.writes
        assert remains(database) == {}
        expected[shop.engine] = end_state(database), writes
    return expected[shop.engine]


def kill_before(shop: Shop, database: Database, which: int, text: bytes = b"") -> bool:
    """Run set-up on an empty database and kill it before a write; say whether it came so far."""
    database.empty()
    shop.empty()
    seen = 0

    def chosen(count: int, body: bytes) -> bool:
        nonlocal seen
        fits = re.search(text, body) is not None
        seen += fits
        return fits and seen == which

    shop.kill_before(chosen)
    return shop.gate.sprung


def mended(shop: Shop, database: Database, expected: State) -> list[str]:
    """Run set-up once more; return what is not as it should be."""
    run = shop.setup()
    if run.code:
        return [f"exit code {run.code}: {run.message}"]
    left = [f"left over: {name} {rows}" for name, rows in remains(database).items()]
    lines = differences(end_state(database), expected) + left
    if database.option("urumi_ready") != "1":
        lines.append("not marked ready")
    return lines


@pytest.mark.timeout(6 * 3600 if os.environ.get(needs.EVERY_WRITE) else 600)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_kill_before_any_write_is_mended_by_one_more_run(
    shop: Shop, database: Database, undisturbed: tuple[State, int], part: int
) -> None:
    state, writes = undisturbed
    stride = 1 if os.environ.get(needs.EVERY_WRITE) else max(1, writes // POINTS[shop.engine])
    seed = int(os.environ.get("URUMI_TEST_SEED") or random.randrange(2**32))
    offset = random.Random(seed).randrange(stride)
    points = range(1 + offset, writes + 1, stride)[part::PARTS]
    print(f"» {shop.engine}: killed before {len(points)} of {writes} writes, seed {seed}")
    wrong: list[str] = []
    for point in points:
        if kill_before(shop, database, point):
            wrong += [f"write {point}: {line}" for line in mended(shop, database, state)]
    assert not wrong, "\n".join(wrong)


def test_a_kill_before_the_ready_marker_is_mended_by_one_more_run(
    shop: Shop, database: Database, undisturbed: tuple[State, int]
) -> None:
    assert kill_before(shop, database, 1, READY)
    assert database.option("urumi_ready") is None
    assert mended(shop, database, undisturbed[0]) == []


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_kill_while_the_shop_is_proven_is_mended_by_one_more_run(
    make_shop: MakeShop, database: Database, moment: str
) -> None:
    shop = make_shop("woocommerce")
    assert kill_before(shop, database, 1, MOMENTS[moment]), f"set-up never writes {moment}"
    assert database.option("urumi_ready") is None
    shop.setup().ended(0, "marked ready")
    assert remains(database) == {}
    state = end_state(database)
    assert [row[0] for row in state["products"]] == ["demo-bag", "demo-mug", "demo-shirt"]
    pages = sorted(name for kind, _, name, *_ in state["posts"] if kind == "page")
    assert pages == PAGES
    assert database.option("woocommerce_initial_installed_version")
    assert ["default_product_cat", "the term uncategorized"] in state["options"]


@pytest.mark.parametrize(
    "at", [rb"DELETE FROM wp_wc_order_operational_data", rb"wp_wc_product_meta_lookup.*demo-mug"]
)
def test_a_connection_lost_in_a_transaction_leaves_no_half_of_it(
    make_shop: MakeShop, database: Database, at: bytes
) -> None:
    shop = make_shop("woocommerce")
    cut: list[str] = []

    def cuts(_: int, body: bytes) -> bool:
        if not cut and re.search(at, body, re.DOTALL):
            cut.extend(thread for (thread,) in database.sql(IN_TRANSACTION))
            for thread in cut:
                database.sql(f"KILL CONNECTION {thread}")
        return False

    shop.gate.reset()
    shop.gate.arm(cuts, lambda: None)
    run = shop.start("setup").wait()
    assert cut, run.out
    run.ended(75)
    assert database.option("urumi_ready") is None
    shop.setup().ended(0, "marked ready")
    assert remains(database) == {}
    products = end_state(database)["products"]
    assert [row[0] for row in products] == ["demo-bag", "demo-mug", "demo-shirt"]


def test_two_kills_in_a_row_are_mended_too(
    shop: Shop, database: Database, undisturbed: tuple[State, int]
) -> None:
    state, writes = undisturbed
    assert kill_before(shop, database, writes // 3)
    shop.kill_before(lambda count, _: count == writes // 5)
    assert shop.gate.sprung
    assert mended(shop, database, state) == []


def test_two_set_ups_at_once_make_one_shop(
    shop: Shop, database: Database, undisturbed: tuple[State, int]
) -> None:
    database.empty()
    shop.gate.reset()
    both = [shop.start("setup"), shop.start("setup")]
    changed = [one.wait().ended(0).said["changed"] for one in both]
    assert sorted(said == "nothing" for said in changed) == [False, True]
    assert differences(end_state(database), undisturbed[0]) == []
    assert remains(database) == {}
