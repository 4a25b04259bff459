"""Image references: how a runtime names them, and what their tags provoke here."""

from __future__ import annotations

import hashlib
from typing import Final

MISSING: Final = "missing"
CRASH: Final = "crash"
OOM: Final = "oom"


def tag_of(image: str) -> str:
    """Return the tag; ``latest`` when there is neither tag nor digest."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag or ("" if digest else "latest")


def full_name(image: str) -> str:
    """Return the image with registry and library, as a runtime reports it."""
    first, slash, _ = image.partition("/")
    if not slash:
        image = f"library/{image}"
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        image = f"docker.io/{image}"
    tagged = "@" in image or ":" in image.rpartition("/")[2]
    return image if tagged else f"{image}:latest"


def identity(image: str) -> str:
    """Return an ``imageID``: the same for the same reference."""
    name = full_name(image)
    if "@" in name:
        return name
    repository = name.rpartition(":")[0]
    return f"{repository}@sha256:{digest(name)}"


def digest(text: str) -> str:
    """Return sixty-four hexadecimal digits made of the text."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def is_database(image: str) -> bool:
    """Say whether it is a database, which takes longer to start."""
    return any(name in image for name in ("mysql", "mariadb", "postgres"))


def pull_failure(image: str) -> str:
    """Return a runtime's words for a tag that its registry does not have."""
    name = full_name(image)
    return (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{name}": '
        f'failed to resolve reference "{name}": {name}: not found'
    )
