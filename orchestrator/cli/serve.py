"""``urumi serve``: a flag for each setting, made from the same table, so that none is missing."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from typing import Annotated

import typer

from orchestrator.cli.exits import reported
from orchestrator.settings import SETTINGS, Setting, Settings, load


def serve_command(serve: Callable[[Settings], None]) -> Callable[..., None]:
    """Return the command that reads environment and flags and calls ``serve``."""

    def command(**flags: str | None) -> None:
        overrides = {setting.variable: flags[setting.field] for setting in SETTINGS}
        serve(load(os.environ, overrides))

    parameters = [
        inspect.Parameter(
            setting.field,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=_annotation(setting),
        )
        for setting in SETTINGS
    ]
    command.__doc__ = "Run the service: API and reconciler. Flags win over the environment."
    # typer reads the signature and the annotations; both come from the table.
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return reported(command)


def _annotation(setting: Setting) -> object:
    help_text = f"{setting.meaning}: {setting.allowed}. Default: {setting.default_text}."
    option = typer.Option(
        setting.flag,
        help=help_text.replace("`", "").replace("*", "").replace("[", r"\["),
        metavar="TEXT",
        show_default=False,
    )
    return Annotated[str | None, option]
