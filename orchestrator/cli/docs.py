"""Writes the generated parts of the README between their markers (``make docs``).

The tests use `refreshed` to say that what is committed is current.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from orchestrator.cli.exits import ExitCode
from orchestrator.settings import table


def exit_codes() -> str:
    """Return the table of exit codes in Markdown."""
    rows = ["| code | meaning |", "| --- | --- |"]
    rows += [f"| {code.value} | {code.meaning} |" for code in ExitCode]
    return "\n".join(rows) + "\n"


def refreshed(text: str) -> str:
    """Return the README ``text`` with every generated part replaced. Errors: ValueError."""
    for name, content in (("configuration", table()), ("exit-codes", exit_codes())):
        start, end = f"<!-- {name}: made by `make docs` -->\n", f"<!-- end of {name} -->"
        pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
        if len(pattern.findall(text)) != 1:
            raise ValueError(f"the README lacks the markers of {name}")
        before, after = pattern.split(text)
        text = before + start + content + end + after
    return text


if __name__ == "__main__":
    readme = Path(sys.argv[1])
    readme.write_text(refreshed(readme.read_text("utf-8")), "utf-8")
