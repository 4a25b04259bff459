"""``urumi`` and ``python -m orchestrator``.

The house is only imported where it is needed: a command that speaks to a running server starts in a
fraction of the time.
"""

from __future__ import annotations

from orchestrator.cli import build_cli
from orchestrator.settings import Settings


def main() -> None:
    """Run the command line."""
    build_cli(_serve)()


def _serve(settings: Settings) -> None:
    from orchestrator import house

    house.serve(settings)


if __name__ == "__main__":
    main()
