"""The world outside, as a proxy that is asked for every page and has none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.loopback import Quiet, serving


@dataclass
class Outside:
    """Remembers what it was asked; curl, which WordPress uses, goes by `http_proxy`."""

    url: str = ""
    asked: list[str] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Outside]:
    """Have it while the block runs."""
    outside = Outside()

    class Handler(Quiet):
        def answer(self) -> None:
            outside.asked.append(self.requestline)
            self.send_error(403)

        do_GET = do_POST = do_HEAD = do_CONNECT = answer

    with serving(Handler) as outside.url:
        yield outside
