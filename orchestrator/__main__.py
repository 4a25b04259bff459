"""``urumi`` and ``python -m orchestrator``.

The house is only imported where it is needed: a command that speaks to a running server starts in a
fraction of the time.
"""

from __future__ import annotations

import os
import sys

from orchestrator.cli import build_cli
from orchestrator.settings import Settings


def main() -> None:
    """Run the command line."""
    # Python leaves out a stream that was closed (`>&-`); what is printed then goes nowhere.
    sys.stdout = sys.stdout or open(os.devnull, "w")
    sys.stderr = sys.stderr or open(os.devnull, "w")
    try:
        try:
            build_cli(_serve)()
        finally:
            sys.stdout.flush()
    except OSError as exc:  # a full disk, for one
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        where = f"{exc.filename}: " if exc.filename else ""
        print(f"urumi: {where}{exc.strerror or exc}", file=sys.stderr)
        raise SystemExit(1) from exc


def _serve(settings: Settings) -> None:
    from orchestrator import house

    house.serve(settings)


if __name__ == "__main__":
    main()
