"""Plays the image registry and the download site on loopback, and notes what it was asked."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from tests.loopback import Quiet, serving

TOKEN = "anonymous-token"
WORDPRESS, MYSQL = ("sha256:" + digit * 64 for digit in "ab")
PLUGIN = "/plugin/woocommerce.10.5.0.zip"
THEME = "/theme/storefront.4.6.1.zip"


def archive(folder: str, version: str, **files: str) -> bytes:
    """A zip as the download site has it; ``files`` by path come besides."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as out:
        header = "style.css" if folder == "storefront" else f"{folder}.php"
        out.writestr(f"{folder}/{header}", f"/*\n * Version: {version}\n */\n")
        for path, text in files.items():
            out.writestr(path, text)
    return held.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Site:
    """What there is, by path: manifests as digests, archives as bytes."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.asked: list[str] = []
        self.gives_tokens = True
        self.cut_short: set[str] = set()
        self.manifests = {
            "/v2/library/wordpress/manifests/6.9": WORDPRESS,
            "/v2/library/mysql/manifests/8.4": MYSQL,
        }
        self.archives = {
            PLUGIN: archive("woocommerce", "10.5.0"),
            THEME: archive("storefront", "4.6.1"),
        }

    def lock(self, path: Path, **changes: dict[str, Any]) -> Path:
        """Write a lock file in which nothing is pinned, but for ``changes``."""
        lock: dict[str, dict[str, Any]] = {
            "wordpress": {"image": f"{self.host}/library/wordpress:6.9", "digest": None},
            "mysql": {"image": f"{self.host}/library/mysql:8.4", "digest": None},
            "woocommerce": {
                "version": "10.5.0",
                "url": f"http://{self.host}{PLUGIN}",
                "sha256": None,
            },
            "storefront": {
                "version": "4.6.1",
                "url": f"http://{self.host}{THEME}",
                "sha256": None,
            },
        }
        for name, change in changes.items():
            lock[name].update(change)
        path.write_text(json.dumps(lock, indent=2) + "\n")
        return path

    def pinned_lock(self, path: Path, **changes: dict[str, Any]) -> Path:
        """Write a lock file in which everything is pinned, but for ``changes``."""
        pins: dict[str, dict[str, Any]] = {
            "wordpress": {"digest": WORDPRESS},
            "mysql": {"digest": MYSQL},
            "woocommerce": {"sha256": sha256(self.archives[PLUGIN])},
            "storefront": {"sha256": sha256(self.archives[THEME])},
        }
        return self.lock(path, **{name: pins[name] | changes.get(name, {}) for name in pins})


class Handler(Quiet):
    site: ClassVar[Site]

    def do_HEAD(self) -> None:
        self.site.asked.append(f"HEAD {self.path}")
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            challenge = f'Bearer realm="http://{self.site.host}/token",service="registry"'
            return self.answer(401, {"WWW-Authenticate": challenge})
        digest = self.site.manifests.get(self.path)
        if digest is None:
            return self.answer(404)
        indexes = "vnd.oci.image.index" in self.headers.get("Accept", "")
        return self.answer(200, {"Docker-Content-Digest": digest} if indexes else {})

    def do_GET(self) -> None:
        self.site.asked.append(f"GET {self.path}")
        parts = urlsplit(self.path)
        if parts.path == "/token":
            scope = parse_qs(parts.query)["scope"][0]
            given = self.site.gives_tokens and scope.endswith(":pull")
            body = json.dumps({"token": TOKEN}).encode()
            return self.answer(200 if given else 403, body=body)
        content = self.site.archives.get(self.path)
        if content is None:
            return self.answer(404)
        if self.path in self.site.cut_short:
            return self.answer(200, {"Content-Length": str(len(content) + 9)}, content)
        return self.answer(200, body=content)

    def answer(self, code: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(code)
        for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def on_loopback() -> Iterator[Site]:
    class Bound(Handler):
        pass

    with serving(Bound) as url:
        Bound.site = Site(url.removeprefix("http://"))
        yield Bound.site
