"""What the owner did to the shop stays; what the owner broke does not stop set-up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.setup.conftest import MakeShop
from tests.setup.database import Database
from tests.setup.shop import Shop

FATAL = "<?php\n/* Plugin Name: Broken */\nthrow new Error('broken by its owner');\n"
GADGETS = """<?php
/* Plugin Name: Gadgets */
add_action('init', static function () {
	register_post_type('gadget', array('public' => true, 'has_archive' => 'gadgets'));
});
"""


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # a link to what other shops have too
    path.write_text(text)


def active(database: Database) -> str:
    return database.option("active_plugins") or ""


def add_plugin(shop: Shop, database: Database, name: str, text: str) -> str:
    """Add an active plugin; return the list of those that are active."""
    put(shop.volume / f"plugins/{name}/{name}.php", text)
    names = [f"{name}/{name}.php"]
    if shop.engine == "woocommerce":
        names.append("woocommerce/woocommerce.php")
    items = "".join(f'i:{i};s:{len(x)}:"{x}";' for i, x in enumerate(names))
    listed = f"a:{len(names)}:{{{items}}}"
    database.set_option("active_plugins", listed)
    return listed


def test_a_broken_plugin_and_theme_stay_active_and_stop_nothing(
    shop: Shop, database: Database
) -> None:
    shop.setup().ended(0)
    listed = add_plugin(shop, database, "broken", FATAL)
    put(shop.volume / "mu-plugins/broken.php", FATAL)
    put(shop.volume / "themes/broken/style.css", "/* Theme Name: Broken */")
    put(shop.volume / "themes/broken/functions.php", FATAL)
    for option in ("template", "stylesheet"):
        database.set_option(option, "broken")
    with shop.served():
        assert shop.get("/") == 500, "it is not broken for visitors"
    shop.prepare().ended(0)
    shop.secrets["admin-password"] = "admin-secret-2"
    shop.setup().ended(0, '"changed":"administrator\'s password set"')
    assert active(database) == listed
    assert (database.option("template"), database.option("stylesheet")) == ("broken", "broken")


def test_a_plugin_that_breaks_a_shop_before_it_is_ready_stops_nothing(
    shop: Shop, database: Database
) -> None:
    shop.setup().ended(0)
    listed = add_plugin(shop, database, "broken", FATAL)
    database.sql("DELETE FROM wp_options WHERE option_name = 'urumi_ready'")
    shop.setup().ended(0, "marked ready")
    assert active(database) == listed


def test_an_owners_plugin_is_found_by_visitors_after_an_upgrade(
    make_shop: MakeShop, engine: str, database: Database
) -> None:
    shop = make_shop(engine)
    shop.setup().ended(0)
    add_plugin(shop, database, "gadgets", GADGETS)
    shop.php("flush_rewrite_rules();")
    assert "gadgets" in (database.option("rewrite_rules") or "")
    database.set_option("db_version", "51917")
    shop.setup().ended(0, "database upgraded")
    shop.setup().ended(0)
    rules = shop.php("global $wp_rewrite; echo json_encode($wp_rewrite->wp_rewrite_rules());")
    assert "gadgets" in rules


def test_an_owners_settings_stay_once_the_shop_was_ready(shop: Shop, database: Database) -> None:
    shop.setup().ended(0)
    kept = {"blogname": "My own title", "permalink_structure": "/%year%/%postname%/"}
    if shop.engine == "woocommerce":
        kept |= {
            "woocommerce_currency": "JPY",
            "woocommerce_default_country": "JP:JP13",
            "woocommerce_coming_soon": "yes",
            "woocommerce_cod_settings": 'a:1:{s:7:"enabled";s:2:"no";}',
            "woocommerce_enable_guest_checkout": "no",
        }
        database.sql("DELETE FROM wp_posts WHERE post_type = 'product'")
    for name, value in kept.items():
        database.set_option(name, value)
    evidence = database.option("urumi_order")
    last = database.sql("SELECT MAX(ID) FROM wp_posts")
    shop.setup().ended(0, '"changed":"nothing"')
    for name, value in kept.items():
        assert database.option(name) == value
    # Every order takes a number of the posts'.
    assert database.option("urumi_order") == evidence
    assert database.sql("SELECT MAX(ID) FROM wp_posts") == last


def test_an_option_that_is_changed_later_is_set_once_and_no_other(
    make_shop: MakeShop, database: Database
) -> None:
    shop = make_shop("wordpress")
    shop.setup().ended(0)
    database.set_option("blogname", "My own title")
    shop.set(adminEmail="new@example.org", currency="CHF")  # without a shop that means nothing
    shop.setup().ended(0, '"changed":"adminEmail set"')
    assert database.option("admin_email") == "new@example.org"
    assert database.option("blogname") == "My own title"
    shop.set(title="Of the platform")
    shop.setup().ended(0, '"changed":"title set"')
    assert database.option("blogname") == "Of the platform"
    assert shop.sent == ""
    database.set_option("blogname", "My own again")
    shop.setup().ended(0, '"changed":"nothing"')
    assert database.option("blogname") == "My own again"


PRICES = ("currency", "currency_pos", "price_thousand_sep", "price_decimal_sep")


def prices(database: Database) -> list[str | None]:
    return [database.option(f"woocommerce_{name}") for name in PRICES]


def test_a_shops_options_are_set_when_they_are_changed(
    make_shop: MakeShop, database: Database
) -> None:
    shop = make_shop("woocommerce", currency="EUR", country="DE")
    shop.setup().ended(0)
    assert prices(database) == ["EUR", "right_space", ".", ","]
    assert database.option("woocommerce_weight_unit") == "kg"
    assert database.option("page_on_front") == database.option("woocommerce_shop_page_id")
    shop.set(currency="JPY", country="JP:JP13")
    shop.setup().ended(0, "currency set, country set")
    assert prices(database) == ["JPY", "left", ",", "."]
    assert database.option("woocommerce_price_num_decimals") == "0"
    shop.set(demoProducts=False)
    shop.setup().ended(0, '"changed":"demoProducts set"')
    query = "SELECT DISTINCT post_status FROM wp_posts WHERE post_type = 'product'"
    assert database.sql(query) == [["trash"]], "somebody may have made them real ones"
    shop.set(demoProducts=True)
    shop.setup().ended(0, '"changed":"demoProducts set"')
    assert ["publish"] in database.sql(query)


def test_an_address_is_followed_where_it_was_the_old_one(
    make_shop: MakeShop, database: Database
) -> None:
    shop = make_shop("woocommerce", admin_email="old@example.org")
    shop.setup().ended(0)
    mine = "mine@example.org"
    database.set_option("woocommerce_email_from_address", mine)
    shop.set(adminEmail="new@example.org")
    shop.setup().ended(0, '"changed":"adminEmail set"')
    assert database.sql("SELECT user_email FROM wp_users") == [["new@example.org"]]
    assert database.option("woocommerce_stock_email_recipient") == "new@example.org"
    assert database.option("woocommerce_email_from_address") == mine


def test_formats_that_the_owner_set_stay_when_the_place_changes(
    make_shop: MakeShop, database: Database
) -> None:
    shop = make_shop("woocommerce")
    shop.setup().ended(0)
    database.set_option("woocommerce_weight_unit", "kg")
    database.set_option("woocommerce_currency_pos", "right_space")
    shop.set(country="US:NY")
    shop.setup().ended(0, '"changed":"country set"')
    assert database.option("woocommerce_weight_unit") == "kg"
    assert database.option("woocommerce_currency_pos") == "right_space"
    shop.set(currency="JPY")
    shop.setup().ended(0, '"changed":"currency set"')
    assert database.option("woocommerce_currency_pos") == "right_space"
    assert database.option("woocommerce_price_num_decimals") == "0"


def test_a_shop_that_was_brought_here_is_taken_as_it_is(
    make_shop: MakeShop, database: Database
) -> None:
    """A restored backup of another place has none of our marks, and settings of its own."""
    shop = make_shop("woocommerce")
    shop.setup().ended(0)
    database.sql("DELETE FROM wp_options WHERE option_name LIKE 'urumi%'")
    database.sql("DELETE FROM wp_posts WHERE post_type = 'product'")
    kept = {
        "blogname": "Brought",
        "admin_email": "me@old.shop",
        "woocommerce_currency": "GBP",
        "woocommerce_coming_soon": "yes",
        "woocommerce_enable_guest_checkout": "no",
        "show_on_front": "posts",
    }
    for name, value in kept.items():
        database.set_option(name, value)
    last = database.sql("SELECT MAX(ID) FROM wp_posts")
    shop.setup().ended(0, "site adopted as it is")
    for name, value in kept.items():
        assert database.option(name) == value
    assert database.sql("SELECT MAX(ID) FROM wp_posts") == last, "a product or an order was made"
    shop.setup().ended(0, '"changed":"nothing"')
    shop.set(title="Chosen later")
    shop.setup().ended(0, '"changed":"title set"')


def test_the_engine_is_kept_from_the_first_run_on(make_shop: MakeShop, database: Database) -> None:
    shop = make_shop("wordpress")
    shop.setup().ended(0)
    database.sql("DELETE FROM wp_options WHERE option_name = 'urumi_ready'")
    shop.set(engine="woocommerce")
    shop.setup().ended(78, "which is chosen once")


@pytest.mark.parametrize("name", ["twentyeleven", "twentytwentyfive", "twenty-mine"])
def test_a_broken_theme_of_any_name_stops_nothing(shop: Shop, name: str) -> None:
    shop.setup().ended(0)
    put(shop.volume / f"themes/{name}/style.css", "/* Theme Name: Mine\nVersion: 9 */")
    put(shop.volume / f"themes/{name}/functions.php", FATAL)
    shop.prepare().ended(0)
    shop.setup().ended(0, '"changed":"nothing"')


def test_the_owners_cache_of_objects_does_not_keep_what_was_changed(
    make_shop: MakeShop, database: Database
) -> None:
    shop = make_shop("wordpress")
    shop.setup().ended(0)
    kept = "/usr/src/wordpress/wp-content/kept"
    core = (shop.image / "wp-includes/cache.php").read_text()
    put(
        shop.volume / "object-cache.php",
        core.replace(
            "= new WP_Object_Cache();",
            f"= is_file('{kept}') ? unserialize(file_get_contents('{kept}'))"
            " : new WP_Object_Cache();"
            "register_shutdown_function(static fn() => "
            f"file_put_contents('{kept}', serialize($GLOBALS['wp_object_cache'])));",
        ),
    )
    assert shop.php("echo get_option('blogname');") == "Acme Ltd"
    shop.set(title="New title")
    shop.setup().ended(0, '"changed":"title set"')
    assert shop.php("echo get_option('blogname');") == "New title"


def test_an_installer_of_the_owner_is_not_asked_where_nothing_is_installed(
    make_shop: MakeShop,
) -> None:
    shop = make_shop("wordpress")
    shop.setup().ended(0)
    put(shop.volume / "install.php", FATAL)
    shop.setup().ended(0, '"changed":"nothing"')


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("admin-username", "o'neil", "must be 1 to 60 letters"),
        ("admin-username", "x" * 61, "must be 1 to 60 letters"),
        ("admin-password", "it's-secret-1", "a quotation mark or a backslash"),
    ],
)
def test_an_administrator_that_wordpress_would_not_take_is_told_at_once(
    make_shop: MakeShop, database: Database, key: str, value: str, words: str
) -> None:
    shop = make_shop("wordpress")
    shop.secrets[key] = value
    run = shop.setup().ended(78, words)
    assert value not in run.out + run.message
    assert database.sql("SHOW TABLES") == []


def test_a_shop_that_serves_is_not_stopped_for_its_administrator(make_shop: MakeShop) -> None:
    shop = make_shop("wordpress")
    shop.setup().ended(0)
    shop.secrets["admin-password"] = "it's-secret-2"
    shop.setup().ended(0, "administrator's password set")


@pytest.mark.parametrize("name", ["object-cache.php", "fatal-error-handler.php"])
def test_a_broken_drop_in_stops_nothing(make_shop: MakeShop, name: str) -> None:
    shop = make_shop("wordpress")
    shop.setup().ended(0)
    put(shop.volume / name, FATAL)
    shop.setup().ended(0, '"changed":"nothing"')


def test_a_drop_in_that_stops_set_up_is_named(make_shop: MakeShop) -> None:
    shop = make_shop("wordpress")
    shop.setup().ended(0)
    put(shop.volume / "db.php", FATAL)
    shop.setup().ended(70, "broken by its owner", "db.php")


def test_a_shop_with_tls_sends_visitors_there(make_shop: MakeShop) -> None:
    shop = make_shop("wordpress")
    shop.setup().ended(0)
    shop.set(url=f"https://{shop.host}")
    with shop.served():
        assert shop.get("/", **{"X-Forwarded-Proto": "http"}) == 301
        assert shop.get("/", **{"X-Forwarded-Proto": "https"}) == 200
        assert shop.get("/urumi-health.php", **{"X-Forwarded-Proto": "http"}) == 200


def test_an_engine_is_chosen_once(make_shop: MakeShop, database: Database) -> None:
    shop = make_shop("wordpress")
    shop.setup().ended(0)
    shop.set(engine="woocommerce")
    shop.setup().ended(78, "set up with the engine wordpress, which is chosen once")
    assert database.option("urumi_woocommerce") is None
    shop.set(engine="wordpress")
    shop.setup().ended(0, '"changed":"nothing"')


def test_a_shop_with_orders_gets_none_of_ours(make_shop: MakeShop, database: Database) -> None:
    shop = make_shop("woocommerce")
    shop.setup().ended(0)
    shop.php("wc_create_order(array('status' => 'completed'));")
    database.sql("DELETE FROM wp_options WHERE option_name IN ('urumi_ready', 'urumi_order')")
    orders = database.sql("SELECT id, status FROM wp_wc_orders")
    assert len(orders) == 1
    run = shop.setup().ended(0, "orders found, none placed")
    assert "order" not in run.said
    assert database.sql("SELECT id, status FROM wp_wc_orders") == orders


@pytest.fixture
def site(make_shop: MakeShop) -> Iterator[Shop]:
    shop = make_shop("wordpress")
    shop.setup().ended(0)
    yield shop


def may_enter(shop: Shop, password: str) -> bool:
    said = shop.php(f"echo get_class(wp_authenticate('admin', '{password}'));")
    assert said in ("WP_User", "WP_Error")
    return said == "WP_User"


def test_a_rotated_administrators_password_is_set(site: Shop) -> None:
    site.secrets["admin-password"] = "admin-secret-2"
    run = site.setup().ended(0, "administrator's password set")
    assert "admin-secret" not in run.out + run.message
    assert may_enter(site, "admin-secret-2")
    assert not may_enter(site, "admin-secret-1")
    site.setup().ended(0, '"changed":"nothing"')


def test_a_password_that_the_owner_chose_stays_until_the_secret_changes(site: Shop) -> None:
    site.php("wp_set_password('of-the-owner', get_user_by('login', 'admin')->ID);")
    site.setup().ended(0, '"changed":"nothing"')
    site.secrets["wordpress-salt"] = "salt-secret-2"  # logs everybody out, and no more
    site.setup().ended(0, '"changed":"nothing"')
    assert may_enter(site, "of-the-owner")
    site.secrets["admin-password"] = "admin-secret-2"
    site.setup().ended(0, "administrator's password set")
    assert may_enter(site, "admin-secret-2")


def test_an_administrator_who_was_demoted_or_deleted_is_back(
    site: Shop, database: Database
) -> None:
    site.php("get_user_by('login', 'admin')->set_role('subscriber');")
    site.setup().ended(0, "administrator repaired")
    database.sql("DELETE FROM wp_users; DELETE FROM wp_usermeta")
    site.setup().ended(0, "administrator made")
    assert may_enter(site, "admin-secret-1")
