"""Flags that several verbs share, and how ``--set option=value`` becomes JSON."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.model.errors import FieldError, InputError
from orchestrator.model.kinds import Json
from orchestrator.settings import parse_duration


def _seconds(text: object) -> float:
    try:
        seconds = parse_duration(str(text))  # the default comes here too, as a number
    except ValueError as exc:
        raise typer.BadParameter("must be a duration: 10m, 90s, 1h30m or seconds") from exc
    if not 0 < seconds <= 86400:
        raise typer.BadParameter("must be more than 0 and at most 24h")
    return seconds


IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The store's id.")]
NameOption = Annotated[str | None, typer.Option("--name", help="Display name; default: the id.")]
EngineOption = Annotated[str | None, typer.Option("--engine", help="woocommerce or wordpress.")]
PlanOption = Annotated[str | None, typer.Option("--plan", help="small, medium or large.")]
DomainOption = Annotated[str | None, typer.Option("--domain", help="The store's own domain.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="OPTION=VALUE",
        help="title, adminEmail, currency, country, demoProducts=true|false, "
        "versions.wordpress=TAG or versions.mysql=TAG. May be repeated.",
    ),
]
WaitOption = Annotated[
    bool, typer.Option("--wait", help="Block until Ready (or gone: exit 0) or Failed (exit 1).")
]
TimeoutOption = Annotated[
    float,
    typer.Option(
        "--timeout",
        metavar="DURATION",
        parser=_seconds,
        show_default="15m",
        help="How long --wait waits at most.",
    ),
]
DEFAULT_TIMEOUT = 900.0


def store_request(
    store_id: str | None,
    name: str | None,
    choices: dict[str, str | None],
    settings: list[str] | None,
) -> Json:
    """Return the body of a create: ``choices`` are engine, plan and domain where given."""
    body: Json = {"id": store_id, "name": name if name is not None else store_id, **choices}
    body = {key: value for key, value in body.items() if value is not None}
    for setting in settings or []:
        group, key, value = _assignment(setting)
        body.setdefault(group, {})[key] = value
    return body


def _assignment(text: str) -> tuple[str, str, str | bool]:
    """Split ``option=value``; kebab-case is accepted for option names."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise InputError(FieldError("--set", f"must be option=value, not {text[:80]!r}"))
    group, dot, tag = key.partition(".")
    if dot and group == "versions":
        return "versions", tag, value
    head, *rest = (group + dot + tag).removeprefix("options.").split("-")
    name = head + "".join(part.capitalize() for part in rest)
    if name == "demoProducts" and value in ("true", "false"):
        return "options", name, value == "true"
    return "options", name, value
