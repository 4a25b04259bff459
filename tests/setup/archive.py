"""A server of releases on loopback, which can be slow, wrong or cut short; and what it serves."""

from __future__ import annotations

import contextlib
import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

from tests.loopback import Quiet, serving

HEADER = "<?php\n/**\n * Plugin Name: WooCommerce\n * Version: {version}\n */\n"


def release(version: str, **more: str) -> bytes:
    """An archive with a plugin of that version in it; large enough to be cut in the middle."""
    packed = io.BytesIO()
    names = {"woocommerce/woocommerce.php": HEADER.format(version=version), **more}
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in names.items():
            archive.writestr(name, text)
        archive.writestr("woocommerce/filler", bytes(range(256)) * 4096)
    return packed.getvalue()


class Archive:
    """What is served, how, and what was asked."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.status = 200
        self.ranges = True
        self.cut: int | None = None
        """Send so many bytes of the whole and no more."""
        self.stall = threading.Event()
        """Set: a cut answer is closed. Not set: it stays open, as on a network that hangs."""
        self.asked: list[str | None] = []
        """The Range header of every request."""
        self.url = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        wanted = handler.headers.get("Range")
        self.asked.append(wanted)
        if self.status != 200:
            handler.send_error(self.status)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        if start >= len(self.body):
            handler.send_error(416)
            return
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(self.body) - start))
        handler.end_headers()
        end = len(self.body) if self.cut is None else self.cut
        handler.wfile.write(self.body[start:end])
        if self.cut is not None:
            handler.wfile.flush()
            self.stall.wait(60)


@contextlib.contextmanager
def served(body: bytes) -> Iterator[Archive]:
    """Serve a body on loopback."""
    archive = Archive(body)

    class Handler(Quiet):
        def do_GET(self) -> None:
            with contextlib.suppress(OSError):
                archive.answer(self)

    with serving(Handler) as url:
        archive.url = f"{url}/woocommerce.zip"
        try:
            yield archive
        finally:
            archive.stall.set()
