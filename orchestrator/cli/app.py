"""The command tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from orchestrator import __version__
from orchestrator.cli import doctor, people, render, stores
from orchestrator.cli.output import Format, OutputOption, say, show_json
from orchestrator.cli.serve import serve_command

if TYPE_CHECKING:
    from orchestrator.settings import Settings

_EPILOG = (
    "The verbs on stores speak to URUMI_URL (http://127.0.0.1:4000) with URUMI_TOKEN (the content "
    "of <data dir>/admin-token). Exit codes: 0 done, 1 failed, 2 bad input, 3 not reachable, "
    "4 not found, 5 not allowed, 6 conflict, 7 over the rate limit."
)


def build_cli(serve: Callable[[Settings], None]) -> typer.Typer:
    """Return the whole command line; ``serve`` runs the service and returns when it ends."""
    app = typer.Typer(
        name="urumi",
        help="Urumi Stores: a WooCommerce shop of their own on Kubernetes for whoever asks.",
        epilog=_EPILOG,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command("serve")(serve_command(serve))
    app.command("create")(stores.create)
    app.command("list")(stores.list_)
    app.command("get")(stores.get)
    app.command("delete")(stores.delete)
    app.command("logs")(stores.logs)
    app.command("events")(stores.events)
    app.command("render")(render.render)
    app.command("doctor")(doctor.doctor)
    app.command("login-link")(people.login_link)
    app.add_typer(people.users)
    app.add_typer(people.tokens)
    app.command("version")(version)
    return app


def version(output: OutputOption = Format.TEXT) -> None:
    """Print the version."""
    if output is Format.JSON:
        show_json({"version": __version__})
    else:
        say(f"urumi {__version__}")
