"""The verbs on stores: create, list, get, delete, logs, events. Each speaks to a running API."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.exits import CliError, ExitCode, note, reported
from orchestrator.cli.options import (
    DEFAULT_TIMEOUT,
    DomainOption,
    EngineOption,
    IdArgument,
    NameOption,
    PlanOption,
    SetOption,
    TimeoutOption,
    WaitOption,
    store_request,
)
from orchestrator.cli.output import (
    Format,
    OutputOption,
    entry_line,
    progressing,
    say,
    show_json,
    show_store,
    show_table,
)
from orchestrator.model.kinds import Json
from orchestrator.model.logs import MOST_LINES, LogLine

if TYPE_CHECKING:
    from orchestrator.cli.client import Api
    from orchestrator.cli.follow import Update

_CREATE_TRIES = 3

FollowOption = Annotated[
    bool, typer.Option("--follow", "-f", help="Go on with what comes, until interrupted.")
]


def _connect() -> Api:
    from orchestrator.cli.client import connect

    return connect(os.environ)


def _path(store_id: str, rest: str = "") -> str:
    from orchestrator.cli.client import segment

    return f"/stores/{segment(store_id)}{rest}"


@reported
def create(
    store_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="The store's id; made up when left out.")
    ] = None,
    name: NameOption = None,
    engine: EngineOption = None,
    plan: PlanOption = None,
    domain: DomainOption = None,
    set_: SetOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Make all checks, store nothing.")
    ] = False,
    key: Annotated[
        str | None,
        typer.Option("--idempotency-key", help="Repeat safely: the same key creates once."),
    ] = None,
    wait: WaitOption = False,
    timeout: TimeoutOption = DEFAULT_TIMEOUT,
    output: OutputOption = Format.TEXT,
) -> None:
    """Create a store."""
    if store_id is None and name is None:
        raise CliError("name a store: an ID, or --name, or both", ExitCode.USAGE)
    choices = {"engine": engine, "plan": plan, "domain": domain}
    body = store_request(store_id, name, choices, set_)
    with _connect() as api:
        store = _create(api, body, key or secrets.token_hex(16), dry_run)
        if dry_run or not wait:
            _show_created(store, dry_run, output)
            return
        store = _wait_ready(api, store["id"], timeout, output)
    if output is Format.JSON:
        show_json(store)
    if store["phase"] == "Failed":
        raise CliError(f"{store['id']} failed: {store['message']}", ExitCode.FAILED)
    if output is Format.TEXT:
        say(f"{store['id']} is Ready: {store['url']}")


def _create(api: Api, body: Json, key: str, dry_run: bool) -> Json:
    """Send it; when the line breaks, again under the same key, so that nothing is made twice."""
    from orchestrator.cli.client import Unreachable

    for attempt in range(1, _CREATE_TRIES + 1):
        try:
            answer: Json = api.call(
                "POST",
                "/stores",
                body=body,
                params={"dryRun": "true" if dry_run else None},
                headers={"Idempotency-Key": key},
            )
            return answer
        except Unreachable as exc:
            if attempt == _CREATE_TRIES or not exc.lost_answer:
                raise
    raise AssertionError("unreachable: the loop returns or raises")


def _show_created(store: Json, dry_run: bool, output: Format) -> None:
    if output is Format.JSON:
        show_json(store)
    elif dry_run:
        say(f"{store['id']} could be created: {store['url']}")
    else:
        say(f"{store['id']} is {store['phase']}: {store['url']}")


def _wait_ready(api: Api, store_id: str, timeout: float, output: Format) -> Json:
    def done(update: Update) -> bool:
        store = update.store
        if store is None:
            return update.gone
        current = store["observedGeneration"] >= store["generation"]
        return current and store["phase"] in ("Ready", "Failed")

    last = _follow(api, store_id, timeout, output, done)
    if last.store is None:
        raise CliError(f"{store_id} was deleted meanwhile", ExitCode.FAILED)
    return last.store


def _delete_and_wait(api: Api, store_id: str, timeout: float, output: Format) -> None:
    """Delete it, wait for the end, and pass on what is said to stay."""
    warnings: list[str] = []

    def done(update: Update) -> bool:
        entry = update.entry
        if entry is not None and entry["reason"] == "NamespaceLeftAlone":
            warnings.append(str(entry["message"]))
        return update.gone

    _follow(api, store_id, timeout, output, done, lambda: api.call("DELETE", _path(store_id)))
    for warning in warnings:
        note(warning)


def _follow(
    api: Api,
    store_id: str,
    timeout: float,
    output: Format,
    done: Callable[[Update], bool],
    first: Callable[[], Json] | None = None,
) -> Update:
    from orchestrator.cli.follow import Follower

    with progressing(output) as display:

        def show(update: Update) -> None:
            if update.store is not None:
                display.store(update.store)
            if update.entry is not None:
                display.entry(update.entry)

        return Follower(api, store_id, timeout, first).until(done, show)


@reported
def list_(
    phase: Annotated[str | None, typer.Option("--phase", help="Only those in this phase.")] = None,
    q: Annotated[
        str | None, typer.Option("--query", "-q", help="Part of an id, name or domain.")
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option("--sort", help="createdAt, updatedAt, name, id or phase; -name is downwards."),
    ] = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """List the stores that you may see."""
    with _connect() as api:
        stores = list(api.pages("/stores", {"phase": phase, "q": q, "sort": sort}))
    if output is Format.JSON:
        show_json({"items": stores, "nextCursor": None})
        return
    show_table(
        ("ID", "NAME", "ENGINE", "PLAN", "PHASE", "URL", "CREATED"),
        (
            (s["id"], s["name"], s["engine"], s["plan"], s["phase"], s["url"], s["createdAt"])
            for s in stores
        ),
    )


@reported
def get(store_id: IdArgument, output: OutputOption = Format.TEXT) -> None:
    """Show one store with its conditions."""
    with _connect() as api:
        store = api.call("GET", _path(store_id))
    if output is Format.JSON:
        show_json(store)
    else:
        show_store(store)


@reported
def delete(
    store_id: IdArgument,
    wait: WaitOption = False,
    timeout: TimeoutOption = DEFAULT_TIMEOUT,
    output: OutputOption = Format.TEXT,
) -> None:
    """Delete a store with all that it has in the cluster."""
    with _connect() as api:
        if wait:
            _delete_and_wait(api, store_id, timeout, output)
            answer = {"id": store_id, "deleted": True}
        else:
            answer = api.call("DELETE", _path(store_id))
    if output is Format.JSON:
        show_json(answer)
    else:
        say(f"{store_id} is gone" if wait else f"{store_id} is Deleting")


@reported
def events(
    store_id: IdArgument,
    after: Annotated[int, typer.Option("--after", min=0, help="Only those after this seq.")] = 0,
    follow: FollowOption = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """Show a store's timeline, oldest first."""
    _refuse_json(follow, output)
    with _connect() as api:
        entries = list(api.pages(_path(store_id, "/events"), {"after": after}))
        if output is Format.JSON:
            show_json({"items": entries, "nextCursor": None})
            return
        for entry in entries:
            say(entry_line(entry))
        if follow:
            _tail(api, store_id, max([after, *(e["seq"] for e in entries)]))


def _refuse_json(follow: bool, output: Format) -> None:
    if follow and output is Format.JSON:
        raise CliError("--follow prints text: leave out --output json", ExitCode.USAGE)


def _tail(api: Api, store_id: str, after: int) -> None:
    """Print what comes, by asking once a second, until the store is gone or the user stops."""
    from orchestrator.cli.follow import tail

    for entry in tail(api, store_id, after):
        print(end="", flush=True)
        say(entry_line(entry))


@reported
def logs(
    store_id: IdArgument,
    component: Annotated[
        str | None,
        typer.Option("--component", "-c", help="database, wordpress or wp-cron; all without it."),
    ] = None,
    tail: Annotated[
        int, typer.Option("--tail", min=1, max=MOST_LINES, help="Last lines of each container.")
    ] = 100,
    previous: Annotated[
        bool, typer.Option("--previous", "-p", help="What they said before their last restart.")
    ] = False,
    follow: FollowOption = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """Show what a store's containers say, each line after its pod and container."""
    _refuse_json(follow, output)
    params = {
        "component": component,
        "tail": tail,
        "previous": "true" if previous else None,
        "follow": "1" if follow else None,
    }
    with _connect() as api:
        if follow:
            _follow_logs(api, _path(store_id, "/logs"), params)
            return
        lines = api.text(_path(store_id, "/logs"), params).split("\n")[:-1]
    if output is Format.JSON:
        show_json({"items": [_log_line(line) for line in lines], "nextCursor": None})
        return
    for line in lines:
        say(line)


def _log_line(line: str) -> Json:
    """Take ``[pod/container] text`` apart; names hold neither a slash nor a bracket."""
    source, _, text = line.removeprefix("[").partition("] ")
    pod, _, container = source.partition("/")
    return {"pod": pod, "container": container, "line": text}


def _follow_logs(api: Api, path: str, params: Mapping[str, str | int | None]) -> None:
    """Print what comes until the user stops or the store is gone. Errors: Unreachable."""
    from orchestrator.cli.client import Unreachable
    from orchestrator.cli.follow import SILENCE

    with api.stream(None, SILENCE, path, params) as stream:
        for event in stream:
            if event.name == "log":
                found = json.loads(event.data)
                say(str(LogLine(found["pod"], found["container"], found["line"])))
                print(end="", flush=True)
    api.call("GET", path.removesuffix("/logs"))  # not found: that is why
    raise Unreachable("the service ended the stream")
