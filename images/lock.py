"""Pins what a store's image is made of: digests of images, checksums of archives.

``charts/store/files/lock.json`` is the one place for them. ``fill`` asks the image's registry and
the download site, so it needs a network; nothing is ever guessed, and what could not be had stays
as it is. What is pinned is kept until its version changes or ``--refresh`` asks for it again:
``pinnedFor`` notes what each pin was made for. Only the standard library, so that ``make image``
needs no virtual environment.
"""

from __future__ import annotations

import argparse
import hashlib
import ipaddress
import json
import os
import re
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import Any, Final

LOCK: Final = Path(__file__).resolve().parents[1] / "charts" / "store" / "files" / "lock.json"
IMAGES: Final = ("wordpress", "mysql")
ARCHIVES: Final = ("woocommerce", "storefront")
FORMS: Final = {
    "digest": re.compile(r"sha256:[0-9a-f]{64}"),
    "sha256": re.compile(r"[0-9a-f]{64}"),
}
INDEXES: Final = (  # all platforms, where there are several
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
TIMEOUT: Final = 30.0  # seconds without a byte
LARGEST: Final = 256 * 1024 * 1024  # bytes, as in fetch.php
HINT: Final = "run `make lock-images` where there is a network"

Lock = dict[str, Any]


class LockError(Exception):
    """One sentence that says what is missing or what went wrong."""


def read(path: Path) -> Lock:
    """Return the lock file. Errors: LockError."""
    try:
        lock: Lock = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as exc:
        raise LockError(f"{path} cannot be read: {exc}") from exc
    absent = [name for name in (*IMAGES, *ARCHIVES) if not isinstance(lock.get(name), dict)]
    if absent:
        raise LockError(f"{path} says nothing of {', '.join(absent)}")
    return lock


def write(path: Path, lock: Lock) -> None:
    """Write the lock file, whole or not at all."""
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(lock, indent=2, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, 0o644)
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise


def subject(lock: Lock, name: str) -> str:
    """Return what a pin of ``name`` is for: the image, or the archive's address."""
    entry = lock[name]
    if name in IMAGES:
        return str(entry["image"])
    if str(entry["version"]) not in str(entry["url"]):
        raise LockError(f"{name} {entry['version']}: its url is that of another version")
    return str(entry["url"])


def pin(lock: Lock, name: str) -> str | None:
    """Return the digest or checksum of ``name``, or None where there is none for this version."""
    field, what = _field(name), subject(lock, name)
    value = lock[name].get(field)
    if lock.get("pinnedFor", {}).get(name, what) != what:
        return None
    return value if FORMS[field].fullmatch(str(value)) else None


def pinned(lock: Lock, name: str) -> str:
    """Return what ``name`` is pinned to. Errors: LockError, which says what is missing."""
    value = pin(lock, name)
    if value is None:
        what = "digest" if name in IMAGES else "checksum"
        entry = lock[name]
        of = entry["image"] if name in IMAGES else f"{name} {entry['version']}"
        raise LockError(f"no {what} of {of} is pinned: {HINT}")
    return value


def reference(lock: Lock, name: str) -> str:
    """Return an image as name:tag@digest. Errors: LockError."""
    return f"{lock[name]['image']}@{pinned(lock, name)}"


def base(lock: Lock) -> str:
    """Return the image to build on, when all that goes into the store's image is pinned."""
    missing: list[str] = []
    for name in ("wordpress", *ARCHIVES):
        try:
            pinned(lock, name)
        except LockError as exc:
            missing.append(str(exc).removesuffix(f": {HINT}"))
    if missing:
        raise LockError(f"{'; '.join(missing)}: {HINT}")
    return reference(lock, "wordpress")


def tag(lock: Lock) -> str:
    """Return the tag of the store's image: another WooCommerce is another tag, hence an upgrade."""
    return f"{lock['wordpress']['image'].rpartition(':')[2]}-wc{lock['woocommerce']['version']}"


def fill(path: Path, refresh: bool = False) -> list[str]:
    """Pin what is not pinned, or everything anew. Returns the sentences of what could not be."""
    lock, problems = read(path), []
    for name in (*IMAGES, *ARCHIVES):
        try:
            if pin(lock, name) and not refresh:
                print(f"{name}: is pinned to {pin(lock, name)}")
                continue
            what = subject(lock, name)
            found = digest_of(what) if name in IMAGES else checksum_of(what, name)
        except LockError as exc:
            problems.append(f"{name}: {exc}")
            continue
        lock[name][_field(name)] = found
        lock.setdefault("pinnedFor", {})[name] = what
        write(path, lock)
        print(f"{name}: pinned to {found}")
    return problems


def digest_of(image: str) -> str:
    """Ask an image's registry for the digest of its tag. Errors: LockError."""
    host, repository, label = located(image)
    url = f"{_scheme(host)}://{host}/v2/{repository}/manifests/{label}"
    headers = {"Accept": ", ".join(INDEXES)}
    try:
        answer = _head(url, headers)
    except urllib.error.HTTPError as exc:
        challenge = exc.headers.get("WWW-Authenticate", "")
        exc.close()
        if exc.code != 401:
            raise LockError(f"{host} answered {exc.code} for {image}") from exc
        headers["Authorization"] = f"Bearer {_token(challenge, repository, host)}"
        try:
            answer = _head(url, headers)
        except urllib.error.HTTPError as again:
            again.close()
            raise LockError(f"{host} answered {again.code} for {image}") from again
    digest = str(answer.get("Docker-Content-Digest", ""))
    if not FORMS["digest"].fullmatch(digest):
        raise LockError(f"{host} named no digest of {image}")
    return digest


def checksum_of(url: str, name: str) -> str:
    """Download an archive and return its SHA-256, if it holds ``name`` and nothing beside it."""
    _same_secrecy(url, url)
    with tempfile.TemporaryFile() as file:
        digest, size = hashlib.sha256(), 0
        try:
            with _open(urllib.request.Request(url)) as response:
                _same_secrecy(url, response.url)
                length = response.headers.get("Content-Length")
                while piece := response.read(1 << 16):
                    size += len(piece)
                    if size > LARGEST:
                        raise LockError(f"{url} is larger than any release")
                    digest.update(piece)
                    file.write(piece)
        except urllib.error.HTTPError as exc:
            exc.close()
            raise LockError(f"{url}: answered {exc.code}") from exc
        if length is not None and size != int(length):
            raise LockError(f"{url}: the download stopped in the middle")
        try:
            with zipfile.ZipFile(file) as archive:
                names = archive.namelist()
        except zipfile.BadZipFile as exc:
            raise LockError(f"{url}: what came is no zip archive") from exc
    if not names or any(not entry.startswith(f"{name}/") for entry in names):
        raise LockError(f"{url}: what came is not {name}")
    return digest.hexdigest()


def _field(name: str) -> str:
    return "digest" if name in IMAGES else "sha256"


def located(image: str) -> tuple[str, str, str]:
    """Return registry, repository and tag, by the rules of Docker for short names."""
    name, _, label = image.rpartition(":")
    first, _, rest = name.partition("/")
    if rest and ("." in first or ":" in first or first == "localhost"):
        return first, rest, label
    return "registry-1.docker.io", name if rest else f"library/{name}", label


def _scheme(host: str) -> str:
    return "http" if _loopback(host) else "https"


def _loopback(host: str) -> bool:
    name = urllib.parse.urlsplit(f"//{host}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _same_secrecy(asked: str, got: str) -> None:
    """Refuse a redirect from https to a connection that anybody may listen to, or change."""
    parts = urllib.parse.urlsplit(got)
    if parts.scheme != "https" and not _loopback(parts.netloc):
        raise LockError(f"{asked} leads to {parts.scheme}://{parts.netloc}, which is not encrypted")


def _token(challenge: str, repository: str, host: str) -> str:
    """Fetch an anonymous token from where the registry says."""
    asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm = asked.get("realm", "")
    if not challenge.lower().startswith("bearer ") or not realm:
        raise LockError(f"{host} wants a log-in that is not known here")
    _same_secrecy(host, realm)
    query = {"scope": asked.get("scope", f"repository:{repository}:pull")}
    if "service" in asked:
        query["service"] = asked["service"]
    try:
        request = urllib.request.Request(f"{realm}?{urllib.parse.urlencode(query)}")
        with _open(request) as response:
            text = response.read(1 << 20)
        body = json.loads(text)
        return str(body.get("token") or body["access_token"])
    except (urllib.error.HTTPError, ValueError, KeyError, AttributeError) as exc:
        raise LockError(f"{urllib.parse.urlsplit(realm).netloc} gave no token for {host}") from exc


def _head(url: str, headers: dict[str, str]) -> HTTPMessage:
    with _open(urllib.request.Request(url, headers=headers, method="HEAD")) as response:
        answer: HTTPMessage = response.headers
        return answer


@contextmanager
def _open(request: urllib.request.Request) -> Iterator[Any]:
    """Open a request. Errors: HTTPError as it came, everything else as LockError."""
    request.add_header("User-Agent", "urumi-stores")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            yield response
    except urllib.error.HTTPError:
        raise
    except (OSError, HTTPException) as exc:
        reason = getattr(exc, "reason", None) or exc
        raise LockError(f"no answer from {request.host} ({reason})") from exc


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 1 when something is missing, which stderr says."""
    parser = argparse.ArgumentParser(prog="images/lock.py", description="Pins of the store's image")
    parser.add_argument("--lock", type=Path, default=LOCK, help="the lock file")
    commands = parser.add_subparsers(dest="command", required=True)
    filling = commands.add_parser("fill", help="pin what is not pinned")
    filling.add_argument("--refresh", action="store_true", help="pin everything anew")
    commands.add_parser("base", help="what the store's image is built on, once all is pinned")
    commands.add_parser("tag", help="the tag of the store's image")
    show = commands.add_parser("image", help="an official image as name:tag@digest")
    show.add_argument("name", choices=IMAGES)
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "fill":
            problems = fill(chosen.lock, chosen.refresh)
            for problem in problems:
                print(f"not pinned: {problem}", file=sys.stderr)
            return 1 if problems else 0
        lock = read(chosen.lock)
        if chosen.command == "image":
            print(reference(lock, chosen.name))
        else:
            print(base(lock) if chosen.command == "base" else tag(lock))
    except LockError as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
