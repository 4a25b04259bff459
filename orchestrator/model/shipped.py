"""Where the files are that are shipped beside the code: manifests, the chart."""

from __future__ import annotations

from pathlib import Path

from orchestrator.model.errors import TemplateError

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped(*parts: str) -> Path:
    """Return a shipped file or folder: in the package of a wheel, at the root of a checkout.

    Errors: TemplateError, which names it, when it is in neither.
    """
    for home in (_PACKAGE, _PACKAGE.parent):
        found = home.joinpath(*parts)
        if found.exists():
            return found
    raise TemplateError(f"{'/'.join(parts)} is missing from this installation")
