"""What a database is after set-up, so that two of them can be compared; and what must not be left.

Numbers of rows differ after a kill (one was used up), so rows are known by their names.
"""

from __future__ import annotations

import re
from typing import Final

from tests.setup.database import Database

State = dict[str, list[list[str]]]
PAGES: Final = "SELECT ID, CONCAT(post_type, ' ', post_name) FROM wp_posts"
_VOLATILE: Final = re.compile(
    r"_(site_)?transient_|.*(cron|_key|_salt|_timestamp|_installed_at|_store_id|_last_run|_modified_date)$"
    r"|rewrite_rules$|wc_pending_batch_processes$|admin_email_lifespan$|urumi_order$|urumi_admin_applied$"
    r"|action_scheduler_|schema-ActionScheduler"
    r"|woocommerce_(email_improvements_\w+_at|maxmind_\w+|remote_variant_assignment|inbox_\w+)$"
)
"""Options that are of the moment, random, or made anew by whoever asks first."""
_NO_WIDGETS: Final = ("a:0:{}", 'a:1:{s:12:"_multiwidget";i:1;}')
_SHOP: Final = "wp_wc_orders"


def end_state(database: Database) -> State:
    """Return what a finished set-up has made."""
    pages = dict(database.sql(PAGES))
    categories = dict(database.sql("SELECT term_id, CONCAT('the term ', slug) FROM wp_terms"))
    names = {
        "wp_page_for_privacy_policy": pages, "woocommerce_placeholder_image": pages,
        "default_product_cat": categories,
    }  # fmt: skip
    options = [
        [re.sub(r"\d+_settings$", "N_settings", name), names.get(name, same).get(value, value)]
        for name, value in database.sql("SELECT option_name, option_value FROM wp_options")
        if not _VOLATILE.match(name) and not (name.startswith("widget_") and value in _NO_WIDGETS)
        for same in [pages if name.endswith("_page_id") else {}]
    ]
    tables = database.sql("SHOW TABLES")
    state: State = {
        "tables": tables,
        "options": sorted(options),
        "users": database.sql(
            "SELECT user_login, user_email, meta_value FROM wp_users JOIN wp_usermeta "
            "ON user_id = wp_users.ID AND meta_key = 'wp_capabilities' ORDER BY 1"
        ),
        "posts": database.sql(
            "SELECT post_type, post_status, post_name, post_title, MD5(post_content), "
            "(SELECT post_name FROM wp_posts AS above WHERE above.ID = wp_posts.post_parent) "
            "FROM wp_posts ORDER BY 1, 2, 3, 4"
        ),
        "terms": database.sql(
            "SELECT taxonomy, slug, name, count FROM wp_terms JOIN wp_term_taxonomy USING (term_id)"
            " ORDER BY 1, 2"
        ),
        "comments": database.sql("SELECT comment_type, comment_content FROM wp_comments"),
    }
    if [_SHOP] in tables:
        state |= _shop(database)
    return state


def _shop(database: Database) -> State:
    return {
        "products": database.sql(
            "SELECT sku, min_price, stock_status, post_status, post_title "
            "FROM wp_wc_product_meta_lookup JOIN wp_posts ON product_id = ID ORDER BY 1"
        ),
        "shipping": database.sql(
            "SELECT zone_id, method_id, is_enabled FROM wp_woocommerce_shipping_zone_methods"
        ),
        "actions": database.sql(
            "SELECT DISTINCT hook FROM wp_actionscheduler_actions "
            "WHERE status = 'pending' ORDER BY 1"
        ),
    }


_REMAINS: Final = {
    "orders": "SELECT id FROM wp_wc_orders",
    "orders' posts": "SELECT ID FROM wp_posts WHERE post_type LIKE 'shop_order%'",
    "orders' addresses": "SELECT order_id FROM wp_wc_order_addresses",
    "orders' meta": "SELECT order_id FROM wp_wc_orders_meta",
    "orders' operations": "SELECT order_id FROM wp_wc_order_operational_data",
    "orders' items": "SELECT order_item_id FROM wp_woocommerce_order_items",
    "orders' items' meta": "SELECT order_item_id FROM wp_woocommerce_order_itemmeta",
    "orders' notes": "SELECT comment_ID FROM wp_comments WHERE comment_type = 'order_note'",
    "orders' statistics": "SELECT order_id FROM wp_wc_order_stats",
    "sold products": "SELECT order_id FROM wp_wc_order_product_lookup",
    "customers": "SELECT email FROM wp_wc_customer_lookup",
    "the product": "SELECT ID FROM wp_posts WHERE post_title = 'Set-up'",
    "the product's SKU": "SELECT product_id FROM wp_wc_product_meta_lookup "
    "WHERE sku = 'urumi-set-up'",
    "sessions": "SELECT session_key FROM wp_woocommerce_sessions",
    "reserved stock": "SELECT order_id FROM wp_wc_reserved_stock",
    "actions": "SELECT hook, args FROM wp_actionscheduler_actions WHERE status = 'pending' AND "
    "hook IN ('wc-admin_import_orders', 'woocommerce_cancel_unpaid_orders')",
    "meta of no post": "SELECT post_id, meta_key FROM wp_postmeta "
    "WHERE post_id NOT IN (SELECT ID FROM wp_posts)",
    "the customer anywhere": "SELECT option_name FROM wp_options "
    "WHERE option_value LIKE '%set-up@store.invalid%'",
}


def remains(database: Database) -> State:
    """Return what is left of the order that was placed as evidence; empty when all is well."""
    if [_SHOP] not in database.sql("SHOW TABLES"):
        return {}
    found = {name: database.sql(query) for name, query in _REMAINS.items()}
    return {name: rows for name, rows in found.items() if rows}


def differences(found: State, expected: State) -> list[str]:
    """Say where two states differ, in lines for people."""
    lines: list[str] = []
    for part in sorted({*found, *expected}):
        have, want = found.get(part, []), expected.get(part, [])
        lines += [f"{part}: there is {_short(row)}" for row in have if row not in want]
        lines += [f"{part}: lacks {_short(row)}" for row in want if row not in have]
        if len(have) != len(want):
            lines.append(f"{part}: {len(have)} and not {len(want)}")
    return lines


def _short(row: list[str]) -> str:
    return str(row)[:300]
