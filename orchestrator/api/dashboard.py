"""The built dashboard: one page for all of its addresses, and files named by their content.

Invariant: nothing runs in the page but what was built with it: scripts and styles come from here or
carry the nonce of this one response.
"""

from __future__ import annotations

import gzip
import secrets
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from starlette.responses import FileResponse, HTMLResponse, Response

from orchestrator.model.errors import TemplateError
from orchestrator.model.shipped import shipped

NONCE: Final = "__NONCE__"
_TYPES: Final = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_FOREVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Dashboard:
    """The files of ``web/dist``, found once."""

    index: str
    assets: dict[str, Path]

    @classmethod
    def load(cls) -> Dashboard | None:
        """Return what was built, or None where nothing was."""
        try:
            folder = shipped("web", "dist")
            index = (folder / "index.html").read_text(encoding="utf-8")
        except (TemplateError, FileNotFoundError):
            return None
        assets = {p.name: p for p in (folder / "assets").iterdir() if p.suffix in _TYPES}
        return cls(index, assets)

    def page(self, status: int = 200) -> HTMLResponse:
        """Return the page, with a nonce that no other response has."""
        nonce = secrets.token_urlsafe(18)
        policy = (
            f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; "
            f"style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; "
            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
        return HTMLResponse(self.index.replace(NONCE, nonce), status, headers)

    def asset(self, name: str, *, packed: bool = False) -> Response | None:
        """Return a file by its name, or None; ``packed``: by gzip, where that is smaller."""
        path = self.assets.get(name)
        if path is None:
            return None
        headers = {"Cache-Control": _FOREVER, "Vary": "Accept-Encoding"}
        kind = _TYPES[path.suffix]
        if packed and path.suffix in (".js", ".css", ".svg"):
            headers["Content-Encoding"] = "gzip"
            return Response(_packed(path), headers=headers, media_type=kind)
        return FileResponse(path, headers=headers, media_type=kind)


@cache
def _packed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)
