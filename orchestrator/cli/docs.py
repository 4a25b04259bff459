"""Writes the generated parts of the README and the chart's between their markers (``make docs``).

The tests use `refreshed` to say that what is committed is current.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import yaml

from orchestrator.cli.exits import ExitCode
from orchestrator.model.kinds import Json
from orchestrator.model.shipped import shipped
from orchestrator.settings import table


def exit_codes() -> str:
    """Return the table of exit codes in Markdown."""
    rows = ["| code | meaning |", "| --- | --- |"]
    rows += [f"| {code.value} | {code.meaning} |" for code in ExitCode]
    return "\n".join(rows) + "\n"


def chart_values() -> str:
    """Return the table of the chart's values in Markdown, from its schema."""
    schema = json.loads(shipped("charts", "store", "values.schema.json").read_text("utf-8"))
    defaults = yaml.safe_load(shipped("charts", "store", "values.yaml").read_text("utf-8"))
    rows = ["| value | default | meaning |", "| --- | --- | --- |"]
    rows += _values(schema, defaults, "")
    return "\n".join(rows) + "\n"


def _values(schema: Json, defaults: Json, prefix: str) -> Iterator[str]:
    for name, value in schema["properties"].items():
        if value["type"] == "object":
            yield from _values(value, defaults[name], f"{prefix}{name}.")
            continue
        default = defaults.get(name)
        shown = "" if default in (None, "") else f"`{json.dumps(default).strip(chr(34))}`"
        allowed = ", ".join(f"`{text}`" for text in value.get("enum", ()))
        meaning = value["description"] + (f" ({allowed})" if allowed else "")
        yield f"| `{prefix}{name}` | {shown} | {meaning} |"


_PARTS: Final[dict[str, Callable[[], str]]] = {
    "configuration": table,
    "exit-codes": exit_codes,
    "chart-values": chart_values,
}
PAGES: Final = {
    "README.md": ("configuration", "exit-codes"),
    "charts/store/README.md": ("chart-values",),
}
"""The generated parts of each page, by its path in the repository."""


def refreshed(text: str, parts: Sequence[str] = PAGES["README.md"]) -> str:
    """Return a page's ``text`` with its generated parts replaced. Errors: ValueError."""
    for name in parts:
        start, end = f"<!-- {name}: made by `make docs` -->\n", f"<!-- end of {name} -->"
        pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
        if len(pattern.findall(text)) != 1:
            raise ValueError(f"the page lacks the markers of {name}")
        before, after = pattern.split(text)
        text = before + start + _PARTS[name]() + end + after
    return text


def openapi() -> str:
    """Return the OpenAPI document, of which the dashboard's types are made (``make web-types``)."""
    from orchestrator.api.openapi import document
    from orchestrator.api.table import OPERATIONS

    return json.dumps(document(OPERATIONS), indent=1, ensure_ascii=False)


if __name__ == "__main__":
    if sys.argv[1:] == ["--openapi"]:
        print(openapi())
        raise SystemExit
    for page, parts in PAGES.items():
        path = Path(page)
        path.write_text(refreshed(path.read_text("utf-8"), parts), "utf-8")
