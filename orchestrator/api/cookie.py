"""The dashboard's session cookie: what it is called, how it is set and read.

Why the name has the port: browsers keep cookies by host, whatever the port, and two services on one
machine would sign each other's people out. Behind TLS the prefix ``__Host-`` has the browser see to
it that no other host and nothing without TLS set it.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

_MOST: Final = 10
"""Of one name; each costs a look at the records."""


def cookie_name(request: Request, port: int) -> str:
    """Return the name of the cookie of the service at ``port``."""
    return "__Host-urumi-session" if _over_tls(request) else f"urumi-session-{port}"


def secrets_in(request: Request, port: int) -> list[str]:
    """Return the cookie's values: a browser sends all that it has of a name."""
    name = cookie_name(request, port)
    parts = ";".join(request.headers.getlist("cookie")).split(";")
    pairs = (part.strip().partition("=") for part in parts)
    found = dict.fromkeys(value for key, _, value in pairs if key == name and value)
    return list(found)[:_MOST]


def set_cookie(request: Request, response: Response, port: int, secret: str, seconds: int) -> None:
    """Have the browser keep a session's secret; for 0 seconds: forget it."""
    response.set_cookie(
        cookie_name(request, port),
        secret,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="strict",
        secure=_over_tls(request),
    )


def _over_tls(request: Request) -> bool:
    told = request.headers.get("x-forwarded-proto", request.url.scheme)
    return told.partition(",")[0].strip().lower() == "https"
