"""What the verbs print: JSON for programs, plain lines for pipes, tables and progress for people.

Invariants: text that came from a user or a cluster is escaped before it reaches a terminal, and is
never read as markup; in JSON mode stdout holds one JSON document and nothing else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from orchestrator.model.kinds import Json
from orchestrator.model.text import printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Format(StrEnum):
    """How a verb prints its answer."""

    TEXT = "text"
    JSON = "json"


OutputOption = Annotated[Format, typer.Option("--output", "-o", help="How to print the answer.")]

_PHASE_STYLES = {
    "Ready": "green",
    "Failed": "bold red",
    "Degraded": "yellow",
    "Deleting": "magenta",
}


def show_json(value: Any) -> None:
    """Print one JSON document; escapes keep every character a terminal could act on harmless."""
    print(json.dumps(value, indent=2, ensure_ascii=True))


def say(line: str) -> None:
    """Print one line of text."""
    print(printable(line))


def show_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns: a table on a terminal, plain text without cuts elsewhere."""
    cells = [["-" if c is None or c == "" else printable(str(c)) for c in row] for row in rows]
    if sys.stdout.isatty():
        _rich_table(headings, cells)
        return
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    for row in (headings, *cells):
        print("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())


def _rich_table(headings: Sequence[str], cells: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell, style=_PHASE_STYLES.get(cell, "")) for cell in row))
    Console().print(table)


def show_store(store: Json) -> None:
    """Print one store for a person."""
    lines = (
        ("id", store["id"]),
        ("name", store["name"]),
        ("phase", f"{store['phase']}: {store['message']}"),
        ("url", store["url"]),
        ("admin", store["adminUrl"]),
        ("engine, plan", f"{store['engine']}, {store['plan']}"),
        ("versions", ", ".join(f"{k} {v}" for k, v in store["versions"].items())),
        ("owner", store["owner"]),
        ("namespace", store["namespace"]),
        ("generation", f"{store['generation']} (observed {store['observedGeneration']})"),
        ("created", store["createdAt"]),
        ("ready", store["readyAt"] or "not yet"),
    )
    for name, value in lines:
        say(f"{name + ':':<14}{value}")
    if store["conditions"]:
        print()
        show_table(
            ("CONDITION", "STATUS", "REASON", "MESSAGE"),
            ((c["type"], c["status"], c["reason"], c["message"]) for c in store["conditions"]),
        )


def entry_line(entry: Json) -> str:
    """Return one timeline entry as a line."""
    about = f" {entry['object']}" if entry.get("object") else ""
    severity = "" if entry["severity"] == "info" else f"{entry['severity'].upper()} "
    return f"{entry['time']}  {severity}{entry['reason']}{about}: {entry['message']}"


class Progressing(Protocol):
    """Shows how a store comes along."""

    def store(self, store: Json) -> None:
        """Show the newest document."""

    def entry(self, entry: Json) -> None:
        """Show a timeline entry."""


class _Silent:
    def store(self, store: Json) -> None:
        """Show nothing."""

    def entry(self, entry: Json) -> None:
        """Show nothing."""


class _Plain:
    def __init__(self) -> None:
        self._last = ""

    def store(self, store: Json) -> None:
        done = store["progress"]
        line = f"{store['phase']} {done['done']}/{done['total']}  {store['message']}"
        if line != self._last:
            self._last = line
            print(printable(line), flush=True)

    def entry(self, entry: Json) -> None:
        """Leave it out: every change of phase is a line already."""


class _Rich:
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def store(self, store: Json) -> None:
        done = store["progress"]
        self._progress.update(
            self._task,
            completed=done["done"],
            total=done["total"],
            description=store["phase"],
            message=printable(store["message"]),
        )

    def entry(self, entry: Json) -> None:
        from rich.text import Text

        self._progress.console.print(Text(printable(entry_line(entry)), style="dim"))


@contextmanager
def progressing(format: Format) -> Iterator[Progressing]:
    """Give the display that fits: none for JSON, a live bar on a terminal, else plain lines."""
    if format is Format.JSON:
        yield _Silent()
    elif not sys.stdout.isatty():
        yield _Plain()
    else:
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<12}", markup=False),
            BarColumn(bar_width=20),
            TimeElapsedColumn(),
            TextColumn("{task.fields[message]}", markup=False),
        )
        with Progress(*columns, transient=True) as progress:
            yield _Rich(progress, progress.add_task("Waiting", total=None, message=""))
