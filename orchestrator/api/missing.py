"""What is not there, told to a program as a problem and to a person as a page.

Why: people type addresses. The dashboard shows them what it shows for any address that it does not
know; the status is 404 all the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import compile_path

from orchestrator.api import pages
from orchestrator.api.deps import AppDeps
from orchestrator.api.problems import answer_error

_FOR_PROGRAMS: Final = frozenset(("api", "healthz", "readyz", "metrics"))


def answer_missing(
    deps: AppDeps, shown: Iterable[str]
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Return the exception handler; ``shown`` are the paths of the dashboard's views."""
    views = [compile_path(path)[0] for path in shown]

    async def answer(request: Request, exc: Exception) -> Response:
        if not _by_a_person(request):
            return await answer_error(request, exc)
        path = request.scope["path"]
        bare = path.rstrip("/") or "/"
        if path != bare and any(view.match(bare) for view in views):
            query = request.url.query
            return RedirectResponse(quote(bare) + (f"?{query}" if query else ""))
        return deps.dashboard.page(404) if deps.dashboard else pages.missing()

    return answer


def _by_a_person(request: Request) -> bool:
    """Whether a browser shows the answer to somebody."""
    return (
        request.method in ("GET", "HEAD")
        and "text/html" in request.headers.get("accept", "").lower()
        and request.scope["path"].split("/")[1] not in _FOR_PROGRAMS
    )
