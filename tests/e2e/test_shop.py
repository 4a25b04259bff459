"""From POST to a shop that answers its visitors and its administrator, and nobody else."""

from __future__ import annotations

import httpx

from tests.e2e.conftest import Installation
from tests.e2e.shop import Shop
from tests.e2e.site import Site
from tests.system.server import poll


def test_a_post_becomes_a_shop_that_answers(first: Shop) -> None:
    store = first.document()
    assert {c["type"]: c["status"] for c in store["conditions"]} == dict.fromkeys(
        ("Applied", "DatabaseReady", "WordPressReady", "SetupComplete", "RouteReady", "Ready"),
        "True",
    )
    page = first.site().get("/")
    assert page.status_code == 200
    assert f"<title>{first.title}" in page.text
    resources = first.api.get(f"{first.path}/resources").json()["items"]
    assert {r["health"] for r in resources} == {"Healthy"}
    (database,) = (r for r in resources if r["kind"] == "StatefulSet")
    told = {(e["object"], e["reason"]) for e in database["events"]}
    assert ("Pod/mysql-0 (mysql)", "Started") in told, "Kubernetes' own events"


def test_nothing_was_reachable_before_set_up_was_done(first: Shop) -> None:
    """An uninstalled WordPress redirects to its installer, and whoever comes first owns it."""
    early = [status for status, _ in first.seen if status != 200]
    assert early, "nobody looked before it was there"
    assert set(early) <= {404, 502, 503, 504}, "answers of the ingress controller, of nobody else"
    assert all(first.title in text for status, text in first.seen if status == 200)


def test_the_administrator_logs_in(shop: Shop) -> None:
    credentials = shop.credentials()
    answer = shop.site().log_in(credentials)
    assert answer.status_code == 200
    assert "wp-admin-bar-logout" in answer.text
    refused = shop.site()
    refused.get("/wp-login.php")
    form = {"log": credentials["username"], "pwd": "a guess", "testcookie": "1"}
    assert "login_error" in refused.http.post("/wp-login.php", data=form).text


def test_nobody_else_installs_configures_or_runs_cron(shop: Shop) -> None:
    site = shop.site()
    for path in ("/wp-admin/install.php", "/wp-config.php", "/wp-cron.php"):
        assert site.get(path).status_code == 403, path
        assert site.get(f"{path}/x").status_code == 403, f"{path}/x"
    assert "/wp-login.php" in site.get("/wp-admin/").headers["location"]


CLOSED = "deny from all\n"  # as WooCommerce and plugins that make backups write it
OPENED = """AddHandler application/x-httpd-php .txt
Options +Indexes
Satisfy Any
Order allow,deny
Allow from all
Require all granted
php_value auto_prepend_file /usr/src/wordpress/wp-content/uploads/e2e/open.txt
"""
FILES = {
    "uploads/e2e/open.txt": "<?php echo 'open';",
    "uploads/e2e/closed/.htaccess": CLOSED,
    "uploads/e2e/closed/paid.txt": "paid",
    "uploads/e2e/program/.htaccess": OPENED,
    "uploads/e2e/program/a.txt": "<?php echo 'open';",
    "uploads/e2e/program/a.php": "<?php echo 'open';",
    "uploads/wc-logs/e2e.log": "card 4111",
    "e2e/.htaccess": CLOSED,
    "e2e/backup.zip": "all of it",
    "dump.sql": "all of it",
    "dump.SQL.gz": "all of it",
    "debug.log.1": "all of it",
    "plugins/config.php~": "a password",
    "plugins/config.php.save": "a password",
    "uploads/e2e/program/dump.sql": "all of it",
}


def test_what_is_closed_by_its_folder_is_closed_and_uploads_are_no_programs(shop: Shop) -> None:
    content = "/usr/src/wordpress/wp-content"
    for path, text in FILES.items():
        name = f"{content}/{path}"
        write = 'mkdir -p "$(dirname "$1")" && printf %s "$2" >"$1"'
        shop.run("wordpress", "sh", "-c", write, "sh", name, text)
    site = shop.site()
    text = FILES["uploads/e2e/open.txt"]
    assert site.get("/wp-content/uploads/e2e/open.txt").text == text, "not what is open"
    assert site.get("/wp-content/uploads/e2e/program/a.txt").text == text
    for path in (
        "uploads/e2e/closed/paid.txt",
        "uploads/e2e/program/a.php",
        "uploads/e2e/program/",
        "uploads/wc-logs/e2e.log",
        "e2e/backup.zip",
        "e2e/.htaccess",
        "dump.sql",
        "dump.SQL.gz",
        "debug.log.1",
        "plugins/config.php~",
        "plugins/config.php.save",
        "uploads/e2e/program/dump.sql",
        ".urumi-brought",
    ):
        answer = site.get(f"/wp-content/{path}")
        assert answer.status_code == 403, f"{path}: {answer.status_code} {answer.text[:200]}"


def test_links_and_redirects_stay_under_the_shops_own_address(shop: Shop) -> None:
    url = shop.document()["url"]
    site = shop.site()
    moved = site.get("/index.php")
    assert moved.status_code == 301 and moved.headers["location"] == f"{url}/"
    assert f'"{url}/wp-json/' in site.get("/").text


def test_a_foreign_host_is_not_this_shop(shop: Shop) -> None:
    stranger = Site(shop.where(), "http://nobody-here.localtest.me")
    answer = stranger.get("/")
    assert answer.status_code != 200 and shop.title not in answer.text


def test_what_is_scheduled_runs_in_the_cron_job(shop: Shop) -> None:
    shop.php('wp_schedule_single_event(time() - 5, "urumi_e2e");')
    due = 'echo wp_next_scheduled("urumi_e2e") ? "due" : "ran";'
    assert shop.php(due) == "due"
    shop.kubectl("create", "job", "by-hand", "--from=cronjob/wp-cron")

    def succeeded() -> bool:
        state = shop.get("job", "by-hand")["status"]
        assert not state.get("failed"), shop.kubectl("logs", "job/by-hand")
        return bool(state.get("succeeded"))

    poll(succeeded, seconds=60, what="the job's end")
    assert shop.php(due) == "ran"
    shop.kubectl("delete", "job", "by-hand", "--wait=false")


def test_the_service_runs_with_no_more_rights_than_it_ships(installation: Installation) -> None:
    """Everything in this suite is done by that account: what it may not do, it did not need."""
    ground = installation.server.ground
    assert ground.service is not None and ground.account is not None
    who = f"system:serviceaccount:{ground.account.name}:{ground.account.name}"

    def may(*words: str) -> bool:
        said = installation.server.kubectl("auth", "can-i", *words, "--as", who, check=False)
        return said.startswith("yes")

    assert may("create", "namespaces"), "the same question with an answer that is yes"
    for words in (
        ("*", "*", "-A"), ("create", "pods", "-A"), ("create", "pods/exec", "-A"),
        ("update", "secrets", "-A"), ("delete", "persistentvolumeclaims", "-A"),
        ("create", "clusterrolebindings"), ("delete", "nodes"),
    ):  # fmt: skip
        assert not may(*words), words
    assert installation.api.get("/readyz").status_code == httpx.codes.OK
    log = installation.server.log.read_text().lower()
    assert "serves on" in log and "forbidden" not in log, "nothing was refused to it"
