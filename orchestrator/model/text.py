"""Text that people sent, made safe to show on a terminal or in a log."""

from __future__ import annotations

import unicodedata
from typing import Final

# Controls move the cursor, surrogates cannot be encoded, bidirectional overrides reorder a line.
_UNSAFE: Final = frozenset(("Cc", "Cs"))
_REORDERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: str, *, keep: str = "") -> str:
    r"""Return ``text`` with everything that could steer a terminal written as an escape (``\x1b``).

    Characters of ``keep`` stay as they are (``"\n"`` for text of several lines).
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in keep or not _steers(c) else _escape(c) for c in text)


def _steers(character: str) -> bool:
    return unicodedata.category(character) in _UNSAFE or character in _REORDERING


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
