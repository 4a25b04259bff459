"""The verbs on stores, against an API on loopback."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest

from orchestrator.cli.client import Api
from orchestrator.cli.exits import CliError
from orchestrator.cli.follow import Follower

TOKEN = "a-token-for-tests"


def event(name: str, data: Any, event_id: int) -> str:
    return f"id: {event_id}\nevent: {name}\ndata: {json.dumps(data)}\n\n"


def become(api: Any, store_id: str, phase: str, **more: Any) -> dict[str, Any]:
    store: dict[str, Any] = api.stores[store_id]
    store.update(phase=phase, message=f"It is {phase}", **more)
    return store


def seen(api: Any, store_id: str, phase: str) -> dict[str, Any]:
    """A document as the stream sends it, while reads still show the state before."""
    return {**api.stores[store_id], "phase": phase, "message": f"It is {phase}"}


def test_create_says_where_the_store_will_be(run: Any, api: Any) -> None:
    result = run("create", "acme", "--engine", "wordpress")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "acme is Pending: http://store-acme.localtest.me\n"
    assert api.asked("POST") == [{"id": "acme", "name": "acme", "engine": "wordpress"}]


def test_create_sends_every_choice(run: Any, api: Any) -> None:
    result = run(
        "create", "acme", "--name", "Acme Ltd", "--plan", "large", "--domain", "shop.example.com",
        "--set", "currency=EUR", "--set", "admin-email=a@example.com", "--set", "title=A=B",
        "--set", "demoProducts=false", "--set", "versions.mysql=8.4.7",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    (body,) = api.asked("POST")
    assert body == {
        "id": "acme",
        "name": "Acme Ltd",
        "plan": "large",
        "domain": "shop.example.com",
        "options": {
            "currency": "EUR",
            "adminEmail": "a@example.com",
            "title": "A=B",
            "demoProducts": False,
        },
        "versions": {"mysql": "8.4.7"},
    }


def test_wait_follows_the_stream_until_ready(run: Any, api: Any) -> None:
    other = {"id": "other", "phase": "Failed"}
    api.streams.append(
        lambda api: (
            event("store", other, 4)
            + event("store", seen(api, "acme", "Provisioning"), 5)
            + event("store", seen(api, "acme", "Ready"), 6)
        )
    )
    result = run("create", "acme", "--wait", "--timeout", "20s")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert any("Provisioning 1/7" in line for line in lines)
    assert lines[-1] == "acme is Ready: http://store-acme.localtest.me"


def test_wait_resumes_a_broken_stream_where_it_broke(run: Any, api: Any) -> None:
    api.streams.append(lambda api: event("store", seen(api, "acme", "Provisioning"), 41))
    api.streams.append(lambda api: event("store", seen(api, "acme", "Ready"), 42))
    result = run("create", "acme", "--wait", "--timeout", "20s")
    assert result.exit_code == 0, result.stderr
    assert api.resumed_from == [None, "41"]


@pytest.mark.parametrize("no_stream", [503, 429])
def test_wait_polls_when_there_is_no_stream(run: Any, api: Any, no_stream: int) -> None:
    api.no_stream = no_stream
    api.after_read = lambda api: become(api, "acme", "Ready")
    result = run("create", "acme", "--wait", "--timeout", "20s", "-o", "json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["phase"] == "Ready"


def test_wait_for_a_failed_store_exits_1_and_says_why(run: Any, api: Any) -> None:
    api.after_read = lambda api: become(api, "acme", "Failed")
    result = run("create", "acme", "--wait", "--timeout", "20s")
    assert result.exit_code == 1
    assert "acme failed: It is Failed" in result.stderr


def test_ready_of_an_older_generation_is_not_taken_for_the_end(run: Any, api: Any) -> None:
    def later(api: Any) -> None:
        reads = sum(1 for m, p, _ in api.requests if m == "GET" and p.endswith("/acme"))
        become(api, "acme", "Ready", generation=2, observedGeneration=2 if reads > 2 else 1)

    api.after_read = later
    result = run("create", "acme", "--wait", "--timeout", "20s", "-o", "json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["observedGeneration"] == 2


def test_a_wait_that_times_out_exits_1(run: Any, api: Any) -> None:
    result = run("create", "acme", "--wait", "--timeout", "0.2")
    assert result.exit_code == 1
    assert "acme is still Pending after 0.2 s" in result.stderr


def await_delete(api: Any) -> None:
    """What a stream says after the DELETE comes after the DELETE."""
    deadline = time.monotonic() + 10
    while not api.asked("DELETE"):
        assert time.monotonic() < deadline, "no DELETE came"
        time.sleep(0.01)


def test_delete_waits_until_it_is_gone(run: Any, api: Any) -> None:
    run("create", "acme")

    def goes(api: Any) -> str:
        await_delete(api)
        return event("store", become(api, "acme", "Deleting"), 7) + event(
            "deleted", {"id": api.stores.pop("acme")["id"]}, 8
        )

    api.streams.append(goes)
    result = run("delete", "acme", "--wait", "--timeout", "20s")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "acme is gone"


def test_what_stays_is_said_however_soon_the_store_is_gone(run: Any, api: Any) -> None:
    run("create", "acme")

    def goes(api: Any) -> str:
        await_delete(api)
        api.stores.pop("acme")
        entry = {
            "seq": 7,
            "storeId": "acme",
            "time": "2026-01-01T00:00:00Z",
            "type": "deletion",
            "reason": "NamespaceLeftAlone",
            "message": "left as it is",
        }
        return event("timeline", entry, 7) + event("deleted", {"id": "acme"}, 8)

    api.streams.append(goes)
    result = run("delete", "acme", "--wait", "--timeout", "20s")
    assert result.exit_code == 0, result.stderr
    assert "left as it is" in result.stderr


@pytest.mark.parametrize("no_stream", [503, 429])
def test_without_a_stream_delete_still_waits_until_it_is_gone(
    run: Any, api: Any, no_stream: int
) -> None:
    run("create", "acme")
    api.no_stream = no_stream
    api.after_read = lambda api: api.stores.pop("acme", None)
    result = run("delete", "acme", "--wait", "--timeout", "20s")
    assert result.exit_code == 0, result.stderr
    assert len(api.asked("DELETE")) == 1


def test_the_list_is_whole_over_all_pages(run: Any, api: Any) -> None:
    for number in range(5):
        run("create", f"s{number}")
    result = run("list", "--output", "json")
    assert [s["id"] for s in json.loads(result.stdout)["items"]] == ["s0", "s1", "s2", "s3", "s4"]
    lines = run("list").stdout.splitlines()
    assert lines[0].split() == ["ID", "NAME", "ENGINE", "PLAN", "PHASE", "URL", "CREATED"]
    assert len(lines) == 6


def test_get_shows_conditions(run: Any, api: Any) -> None:
    run("create", "acme")
    result = run("get", "acme")
    assert "phase:        Pending: It is Pending" in result.stdout
    assert "Waiting  not yet" in result.stdout


def test_names_cannot_steer_the_terminal(run: Any, api: Any) -> None:
    run("create", "acme")
    api.stores["acme"].update(name="\x1b]0;owned\x07\u202eevil\nid: fake", message="[red]x[/red]")
    for verb in (("get", "acme"), ("list",)):
        out = run(*verb).stdout
        assert "\x1b" not in out and "\x07" not in out and "\u202e" not in out
        assert "\\x1b]0;owned\\x07\\u202eevil\\x0aid: fake" in out
    assert "[red]x[/red]" in run("get", "acme").stdout


def test_events_are_printed_oldest_first(run: Any, api: Any) -> None:
    entry = {"time": "2026-11-23T10:00:00Z", "type": "apply", "object": None}
    api.entries = [
        {**entry, "seq": 1, "severity": "info", "reason": "Created", "message": "made"},
        {**entry, "seq": 2, "severity": "error", "reason": "Failed", "message": "broke"},
    ]
    assert run("events", "acme").stdout.splitlines() == [
        "2026-11-23T10:00:00Z  Created: made",
        "2026-11-23T10:00:00Z  ERROR Failed: broke",
    ]
    assert len(run("events", "acme", "--after", "1").stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 2), (422, 2), (401, 5), (403, 5), (404, 4), (409, 6), (412, 6), (500, 3), (503, 3)],
)
def test_every_refusal_has_its_exit_code(run: Any, api: Any, status: int, code: int) -> None:
    problem = {
        "title": "No",
        "detail": "it is wrong",
        "errors": [{"field": "options.currency", "rule": "must be three letters"}],
    }
    api.refusals = [(status, problem, {})] * 3
    result = run("create", "acme")
    assert result.exit_code == code
    assert "it is wrong" in result.stderr
    assert "options.currency: must be three letters" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_rate_limit_is_waited_out(run: Any, api: Any) -> None:
    api.refusals = [(429, {"title": "Too many"}, {"Retry-After": "0"})] * 2
    assert run("list").exit_code == 0


def test_a_rate_limit_that_does_not_end_is_7(run: Any, api: Any) -> None:
    api.refusals = [(429, {"title": "Too many"}, {"Retry-After": "3600"})]
    assert run("list").exit_code == 7


def test_a_wrong_token_is_not_allowed(run: Any, api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URUMI_TOKEN", "wrong")
    result = run("list")
    assert result.exit_code == 5
    assert "unknown token" in result.stderr and "wrong" not in result.stderr


def test_the_token_file_is_the_default(
    run: Any, api: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.delenv("URUMI_TOKEN")
    result = run("list")
    assert result.exit_code == 5 and "URUMI_TOKEN" in result.stderr
    (tmp_path / ".urumi").mkdir()
    (tmp_path / ".urumi" / "admin-token").write_text(TOKEN + "\n")
    assert run("list").exit_code == 0


def test_no_server_is_3_and_says_what_to_do(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URUMI_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("URUMI_TOKEN", TOKEN)
    result = run("list")
    assert result.exit_code == 3
    assert "urumi serve" in result.stderr and "URUMI_URL" in result.stderr


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:4000", "http://u:p@host", "http://[::1"])
def test_a_wrong_address_is_bad_input(run: Any, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("URUMI_URL", url)
    monkeypatch.setenv("URUMI_TOKEN", TOKEN)
    assert run("list").exit_code == 2


@pytest.mark.parametrize(
    "args",
    [
        ("create",),
        ("create", "acme", "--set", "currency"),
        ("create", "acme", "--timeout", "soon"),
        ("get",),
        ("list", "--output", "yaml"),
        ("no-such-verb",),
    ],
)
def test_bad_usage_is_2(run: Any, api: Any, args: tuple[str, ...]) -> None:
    assert run(*args).exit_code == 2


def test_people_and_tokens(run: Any, api: Any) -> None:
    assert run("user", "create", "kim").stdout == "kim is a member\n"
    assert run("user", "list").exit_code == 0
    made = run("token", "create", "kim", "--name", "laptop")
    assert made.stdout == "urumi_once\n"  # so that it can be piped; the remark is on stderr
    assert "only time" in made.stderr
    assert api.asked("POST")[-1] == {"user": "kim", "name": "laptop"}
    assert run("token", "revoke", "t-1").exit_code == 0
    assert run("token", "revoke", "../stores").exit_code == 4


def test_logs_are_printed_and_do_nothing_to_the_terminal(run: Any, api: Any) -> None:
    run("create", "acme")
    api.log = "[mysql-0/mysql] ready\n[wordpress-1/setup] \x1b[2Jred\n"
    result = run("logs", "acme", "-c", "database", "--tail", "5", "--previous")
    assert result.exit_code == 0, result.stderr
    first, second = result.stdout.splitlines()
    assert first == "[mysql-0/mysql] ready" and "\x1b" not in second
    path = api.requests[-1][1]
    shown = json.loads(run("logs", "acme", "-o", "json").stdout)["items"]
    assert shown[1] == {"pod": "wordpress-1", "container": "setup", "line": "\x1b[2Jred"}
    assert run("logs", "acme", "-f", "-o", "json").exit_code == 2
    assert all(part in path for part in ("component=database", "tail=5", "previous=true"))


def test_logs_are_followed_until_the_store_is_gone(run: Any, api: Any) -> None:
    run("create", "acme")

    def goes(api: Any) -> str:
        api.stores.pop("acme")
        return event("log", {"pod": "mysql-0", "container": "mysql", "line": "bye"}, 1)

    api.streams.append(goes)
    result = run("logs", "acme", "--follow")
    assert result.stdout == "[mysql-0/mysql] bye\n"
    assert result.exit_code == 4 and "no stores/acme" in result.stderr


def test_logs_that_break_off_are_an_error(run: Any, api: Any) -> None:
    run("create", "acme")
    api.streams.append(lambda _: event("log", {"pod": "p", "container": "c", "line": "x"}, 1))
    result = run("logs", "acme", "-f")
    assert result.exit_code == 3 and "ended the stream" in result.stderr
    assert run("logs", "nobody").exit_code == 4
    assert run("logs", "acme", "--tail", "0").exit_code == 2


def test_a_delete_that_was_never_asked_for_says_so() -> None:
    """A server that accepts connections and does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()
        api = Api(f"http://{host}:{port}", "token")
        follower = Follower(api, "acme", 0.3, lambda: pytest.fail("it was asked"))
        with pytest.raises(CliError, match="nothing was asked") as raised:
            follower.until(lambda update: update.gone, lambda _: None)
    assert raised.value.code == 3
