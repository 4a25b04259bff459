"""The verbs on people and their tokens (admins only)."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from orchestrator.cli.exits import note, reported
from orchestrator.cli.output import Format, OutputOption, say, show_json, show_table

users = typer.Typer(name="user", help="People and machines that own stores.", no_args_is_help=True)
tokens = typer.Typer(name="token", help="Their API tokens.", no_args_is_help=True)


@reported
def login_link(output: OutputOption = Format.TEXT) -> None:
    """Make a link that signs a browser in to the dashboard: once, within 10 minutes."""
    from orchestrator.cli.client import connect

    with connect(os.environ) as api:
        made = api.call("POST", "/login-links")
    if output is Format.JSON:
        show_json(made)
    else:
        say(made["url"])


@users.command("create")
@reported
def create_user(
    name: Annotated[str, typer.Argument(help="The user's name.")],
    role: Annotated[str, typer.Option("--role", help="member or admin.")] = "member",
    output: OutputOption = Format.TEXT,
) -> None:
    """Add a user."""
    from orchestrator.cli.client import connect

    with connect(os.environ) as api:
        user = api.call("POST", "/users", body={"name": name, "role": role})
    if output is Format.JSON:
        show_json(user)
    else:
        say(f"{user['name']} is a {user['role']}")


@users.command("list")
@reported
def list_users(output: OutputOption = Format.TEXT) -> None:
    """List the users."""
    from orchestrator.cli.client import connect

    with connect(os.environ) as api:
        found = list(api.pages("/users", {}))
    if output is Format.JSON:
        show_json({"items": found, "nextCursor": None})
        return
    rows = ((u["name"], u["role"], u["createdAt"]) for u in found)
    show_table(("NAME", "ROLE", "CREATED"), rows)


@tokens.command("create")
@reported
def create_token(
    user: Annotated[str, typer.Argument(help="Whose token it is.")],
    name: Annotated[str, typer.Option("--name", help="What the token is for.")] = "cli",
    output: OutputOption = Format.TEXT,
) -> None:
    """Make a token. Only the token goes to stdout; it is never shown again."""
    from orchestrator.cli.client import connect

    with connect(os.environ) as api:
        made = api.call("POST", "/tokens", body={"user": user, "name": name})
    if output is Format.JSON:
        show_json(made)
        return
    note(f"token {made['id']} of {user}; this is the only time that it is shown")
    say(made["token"])


@tokens.command("list")
@reported
def list_tokens(output: OutputOption = Format.TEXT) -> None:
    """List the tokens, without their texts."""
    from orchestrator.cli.client import connect

    with connect(os.environ) as api:
        found = list(api.pages("/tokens", {}))
    if output is Format.JSON:
        show_json({"items": found, "nextCursor": None})
        return
    rows = ((t["id"], t["user"], t["name"], t["createdAt"], t.get("lastUsedAt")) for t in found)
    show_table(("ID", "USER", "NAME", "CREATED", "LAST USED"), rows)


@tokens.command("revoke")
@reported
def revoke_token(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="The token's id, not its text.")],
    output: OutputOption = Format.TEXT,
) -> None:
    """Revoke a token; it stops working at once."""
    from orchestrator.cli.client import connect, segment

    with connect(os.environ) as api:
        api.call("DELETE", f"/tokens/{segment(token_id)}")
    if output is Format.JSON:
        show_json({"id": token_id, "revoked": True})
    else:
        say(f"token {token_id} is revoked")
