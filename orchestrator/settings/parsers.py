"""From the text of a variable to its value; what is wrong raises ValueError or OSError."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
SUBDOMAIN: Final = re.compile(rf"{LABEL}(?:\.{LABEL})*")
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
IMAGE: Final = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?/)?"
    rf"{_COMPONENT}(?:/{_COMPONENT})*:[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}(?:@sha256:[0-9a-f]{{64}})?"
)
_DURATION: Final = re.compile(
    r"(?:(?P<h>\d{1,6})h)?(?:(?P<m>\d{1,6})m)?(?:(?P<s>\d{1,6}(?:\.\d{1,3})?)s)?"
)
_NUMBER: Final = re.compile(r"\d{1,9}(?:\.\d{1,6})?")


def parse_duration(text: str) -> float:
    """Return the seconds of ``10m``, ``90s``, ``1h30m`` or a bare number. Errors: ValueError."""
    if _NUMBER.fullmatch(text):
        return float(text)
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise ValueError(text)
    return int(match["h"] or 0) * 3600.0 + int(match["m"] or 0) * 60.0 + float(match["s"] or 0)


def one_of(*words: str) -> Callable[[str], str]:
    """Accept one of these words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(text)
        return text

    return parse


def matching(pattern: re.Pattern[str], longest: int = 253) -> Callable[[str], str]:
    """Accept text of the pattern, at most ``longest`` characters."""

    def parse(text: str) -> str:
        if len(text) > longest or not pattern.fullmatch(text):
            raise ValueError(text)
        return text

    return parse


def integer(least: int, most: int) -> Callable[[str], int]:
    """Accept a whole number in a range."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(text)
        return int(text)

    return parse


def between(least: float, most: float, read: Callable[[str], float]) -> Callable[[str], float]:
    """Accept what ``read`` returns when it is in a range."""

    def parse(text: str) -> float:
        value = read(text)
        if not least <= value <= most:
            raise ValueError(text)
        return value

    return parse


def number(text: str) -> float:
    """Read a plain decimal number."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return float(text)


def truth(text: str) -> bool:
    """Read true or false, or words for them."""
    word = text.lower()
    if word in ("true", "1", "yes", "on"):
        return True
    if word in ("false", "0", "no", "off"):
        return False
    raise ValueError(text)


def address(text: str) -> str:
    """Read an IP address or a host name."""
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        if re.fullmatch(r"[0-9.]+", text):
            raise
    return matching(SUBDOMAIN)(text.lower())


def directory(text: str) -> Path:
    """Read a path where a directory is or may be."""
    path = Path(text).expanduser().absolute()
    if not text.isprintable() or (path.exists() and not path.is_dir()):
        raise ValueError(text)
    return path


def file(text: str) -> Path:
    """Read the path of a file; an address is none."""
    if "://" in text:
        raise ValueError(text)
    return Path(text).expanduser()


def sqlite_file(url: str) -> Path:
    """Return the path in ``sqlite:///path``."""
    return Path(unquote(urlsplit(url).path[1:]))


def database(text: str) -> str:
    """Read the address of a SQLite file or of a PostgreSQL database."""
    parts = urlsplit(text)
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        path = sqlite_file(text)
        if str(path) == ":memory:" or (path.exists() and not path.is_file()):
            raise ValueError(text)
        return text
    if parts.scheme == "postgresql" and (parts.hostname or "host=" in parts.query):
        if parts.path.strip("/") and (parts.port is None or parts.port > 0):
            return text
    raise ValueError(text)


def base_domain(text: str) -> tuple[str, int | None]:
    """Read a domain, optionally with a port."""
    name, colon, port = text.partition(":")
    if ("." not in name and name != "localhost") or name.rpartition(".")[2].isdigit():
        raise ValueError(text)
    return matching(SUBDOMAIN, 200)(name), integer(1, 65535)(port) if colon else None


def rate(text: str) -> str | None:
    """Read a rate such as ``600/minute``, or None for ``off``."""
    if text == "off":
        return None
    return matching(re.compile(r"[1-9]\d{0,6}/(second|minute|hour|day)"))(text)


TOKEN_RULE: Final = "8 to 256 visible ASCII characters"
parse_token = matching(re.compile(r"[!-~]{8,256}"), 256)
