"""The database is away, goes away in the middle, or wants another password."""

from __future__ import annotations

import time

from tests.setup.conftest import MakeShop
from tests.setup.database import PASSWORD, Database
from tests.setup.shop import ADMIN_PASSWORD, SALT, Running, Shop
from tests.setup.state import differences, end_state


def wait_for_knocks(shop: Shop, running: Running) -> None:
    """Wait until set-up has tried the database that is away several times."""
    deadline = time.monotonic() + 60
    while shop.gate.refused < 3:
        assert time.monotonic() < deadline and not running.ended, "it does not knock again"
        time.sleep(0.05)


def test_set_up_waits_for_the_database(make_shop: MakeShop, database: Database) -> None:
    shop = make_shop("wordpress")
    shop.gate.shut = True
    running = shop.start("setup")
    wait_for_knocks(shop, running)
    shop.gate.shut = False
    running.wait().ended(0, '"changed":"installed, marked ready"')


def test_a_step_without_a_database_asks_to_be_tried_again(make_shop: MakeShop) -> None:
    shop = make_shop("wordpress")
    shop.gate.shut = True
    run = shop.start("setup", ["php", "/etc/urumi/install.php"]).wait()
    run.ended(75, "the database does not answer yet")


def test_a_database_that_goes_away_in_the_middle_is_told_and_mended(
    make_shop: MakeShop, database: Database
) -> None:
    shop = make_shop("wordpress")
    shop.setup().ended(0)
    whole = end_state(database)
    database.empty()
    shop.gate.reset()
    shop.gate.arm(lambda count, _: count == 40, lambda: None)
    run = shop.start("setup").wait()
    assert run.code in (70, 75), run.out
    assert run.said["step"] == "install"
    assert "ended with code" not in run.said["error"], "no sentence"
    assert database.option("urumi_ready") is None
    shop.setup().ended(0)
    assert differences(end_state(database), whole) == []


def test_a_database_that_goes_away_before_the_last_write_is_tried_again(
    make_shop: MakeShop, database: Database
) -> None:
    shop = make_shop("wordpress")
    shop.gate.reset()
    shop.gate.arm(lambda _, body: b"urumi_ready" in body, lambda: None)
    run = shop.start("setup").wait().ended(75, "the database did not write")
    assert run.said["step"] == "setup"
    shop.setup().ended(0, "marked ready")


def test_set_up_ends_when_it_is_told_to(make_shop: MakeShop) -> None:
    shop = make_shop("wordpress")
    shop.gate.shut = True
    running = shop.start("setup", first=True)
    wait_for_knocks(shop, running)
    running.terminate()
    assert running.wait(30).code in (143, -15)


def test_a_folder_that_cannot_be_written_is_told(make_shop: MakeShop) -> None:
    shop = make_shop("wordpress")
    (shop.folder / "tmp").chmod(0o555)
    try:
        shop.setup().ended(70, "the folder /tmp cannot be written")
    finally:
        (shop.folder / "tmp").chmod(0o755)


def test_a_wrong_password_is_told_without_a_secret(shop: Shop, database: Database) -> None:
    shop.secrets["database-password"] = "database-wrong-1"
    run = shop.setup().ended(78, "the database refuses the password in the Secret")
    assert run.said["step"] == "setup", "no sentence of its own"
    for secret in (PASSWORD, "database-wrong-1", ADMIN_PASSWORD, SALT):
        assert secret not in run.out + run.message
    shop.secrets["database-password"] = PASSWORD
    shop.setup().ended(0, "installed")


def test_a_rotated_database_password_is_followed(shop: Shop, database: Database) -> None:
    shop.setup().ended(0)
    database.set_password("database-secret-2")
    shop.setup().ended(78)
    shop.secrets["database-password"] = "database-secret-2"
    shop.setup().ended(0, '"changed":"nothing"')


def test_a_password_that_the_secret_lacks_is_told(make_shop: MakeShop) -> None:
    shop = make_shop("wordpress")
    shop.secrets["database-password"] = ""
    shop.setup().ended(78, "the Secret store-credentials has no database-password")


def test_settings_that_are_wrong_are_told(make_shop: MakeShop) -> None:
    shop = make_shop("wordpress")
    shop.set(url="shop")
    shop.setup().ended(78, "its address is not a URL")


def test_a_step_that_another_set_up_has_asks_to_be_tried_again(
    make_shop: MakeShop, database: Database
) -> None:
    shop = make_shop("wordpress")
    code = (
        "require '/etc/urumi/lib.php'; $db = connect(5); lock($db, 'install', 1);"
        "touch('/tmp/locked'); while (!file_exists('/tmp/enough')) usleep(20000);"
    )
    holder = shop.start("setup", ["php", "-r", code])
    deadline = time.monotonic() + 60
    while not (shop.folder / "tmp/locked").exists():
        assert time.monotonic() < deadline and not holder.ended
        time.sleep(0.05)
    run = shop.start("setup").wait()
    (shop.folder / "tmp/enough").touch()
    holder.wait()
    run.ended(75, "another set-up of this shop is at work")
    shop.setup().ended(0, "installed")


POST = """INSERT INTO wp_posts
    (post_title, post_content, post_excerpt, to_ping, pinged, post_content_filtered)
    VALUES ('Of the owner', '', '', '', '', '')"""


def titles(database: Database) -> list[list[str]]:
    return database.sql("SELECT post_title FROM wp_posts ORDER BY ID")


def test_an_address_that_was_lost_is_written_again(make_shop: MakeShop, database: Database) -> None:
    shop = make_shop("wordpress")
    shop.setup().ended(0)
    whole = end_state(database)
    database.sql("DELETE FROM wp_options WHERE option_name IN ('siteurl', 'home')")
    shop.setup().ended(0, '"changed":"address repaired"')
    assert differences(end_state(database), whole) == []


def test_a_shop_that_lost_its_options_is_not_made_new(
    make_shop: MakeShop, database: Database
) -> None:
    shop = make_shop("wordpress")
    shop.setup().ended(0)
    database.sql(POST)
    before = titles(database)
    for loss in ("DELETE FROM wp_options", "DROP TABLE wp_options"):
        database.sql(loss)
        run = shop.setup().ended(70, "has content and has lost its options; nothing was changed")
        assert run.said["step"] == "install"
        assert titles(database) == before


def test_a_ready_shop_that_says_it_never_ended_keeps_its_content(
    make_shop: MakeShop, database: Database
) -> None:
    shop = make_shop("wordpress")
    shop.setup().ended(0)
    database.sql(POST)
    before = titles(database)
    database.set_option("urumi_install", "begun")
    shop.setup().ended(70, "nothing was changed")
    assert titles(database) == before
