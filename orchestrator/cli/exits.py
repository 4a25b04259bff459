"""Exit codes, and the one place where an error becomes lines on stderr and a code.

Scripts rely on the codes; they are part of the README's promise.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import ParamSpec

import typer

from orchestrator.model.errors import (
    ClusterForbidden,
    ClusterUnreachable,
    InputError,
    SettingsError,
    UrumiError,
)
from orchestrator.model.text import printable

P = ParamSpec("P")


class ExitCode(IntEnum):
    """What the command's exit code says; the docstrings of the members are the documentation."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_FOUND = 4
    NOT_ALLOWED = 5
    CONFLICT = 6
    BUSY = 7

    @property
    def meaning(self) -> str:
        """One line for the documentation."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "done; with `--wait`: the store is Ready, or gone",
    ExitCode.FAILED: "the store Failed, the wait timed out, `doctor` found something essential",
    ExitCode.USAGE: "bad input: a wrong flag, setting or field",
    ExitCode.UNREACHABLE: "API, cluster or database did not answer, or failed",
    ExitCode.NOT_FOUND: "there is no such store, user or token",
    ExitCode.NOT_ALLOWED: "no token, a wrong one, not this role, or over a limit",
    ExitCode.CONFLICT: "the present state forbids it: taken, in deletion, changed meanwhile",
    ExitCode.BUSY: "over the rate limit, after waiting as told",
}


class CliError(Exception):
    """An error for the person at the terminal: text of one or more lines, and the exit code."""

    def __init__(self, message: str, code: ExitCode) -> None:
        super().__init__(message)
        self.code = code


def reported(command: Callable[P, None]) -> Callable[P, None]:
    """Make a command print its errors as plain lines and exit with their code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except CliError as exc:
            complain(str(exc))
            raise typer.Exit(exc.code) from exc
        except UrumiError as exc:
            complain(_explain(exc))
            raise typer.Exit(_code_of(exc)) from exc

    return run


def complain(message: str) -> None:
    """Write ``message`` to stderr, whatever it contains."""
    print("urumi: " + printable(message, keep="\n"), file=sys.stderr)


def note(message: str) -> None:
    """Write a remark to stderr that is no error."""
    print("# " + printable(message, keep="\n"), file=sys.stderr)


def _explain(exc: UrumiError) -> str:
    if isinstance(exc, InputError):
        return "\n".join(f"{e.field}: {e.rule}" for e in exc.errors)
    return str(exc)


def _code_of(exc: UrumiError) -> ExitCode:
    if isinstance(exc, (InputError, SettingsError)):
        return ExitCode.USAGE
    if isinstance(exc, ClusterUnreachable):
        return ExitCode.UNREACHABLE
    if isinstance(exc, ClusterForbidden):
        return ExitCode.NOT_ALLOWED
    return ExitCode.FAILED
