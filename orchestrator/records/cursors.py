"""Where a list goes on: the key of the last row shown, so that inserts and deletes shift nothing.

A cursor carries a checksum over itself and over what it was made for (list, filter, order): one
from elsewhere, or a mangled one, is an error and not a wrong page. It grants nothing: the filter
for the owner is applied whatever it says, so the checksum needs no secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Column, ColumnElement, Select, and_, or_

from orchestrator.model.errors import FieldError, InputError

T = TypeVar("T")
Key = list[str | int]
_DIGEST: Final = 9


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list. ``next_cursor`` None: it was the last."""

    items: list[T]
    next_cursor: str | None = None


@dataclass(frozen=True)
class Order:
    """An order in which keys are unique: ``columns`` are compared one after the other."""

    columns: tuple[Column[Any], ...]
    descending: bool = False

    def apply(self, query: Select[Any], after: Key | None) -> Select[Any]:
        """Return the query in this order, from the key ``after`` on."""
        if after is not None:
            query = query.where(self._beyond(after))
        return query.order_by(*(c.desc() if self.descending else c.asc() for c in self.columns))

    def _beyond(self, key: Key) -> ColumnElement[bool]:
        """Say "comes after the key" column by column, which both dialects read alike."""
        cases: list[ColumnElement[bool]] = []
        for i, column in enumerate(self.columns):
            equal = [c == k for c, k in zip(self.columns[:i], key, strict=False)]
            further = column < key[i] if self.descending else column > key[i]
            cases.append(and_(*equal, further))
        return or_(*cases)

    def key(self, row: Any) -> Key:
        """Return a row's key."""
        return [row[c.name] for c in self.columns]

    def parse(self, key: object) -> Key | None:
        """Return a key that came from outside, or None when it has not this order's types."""
        if not isinstance(key, list) or len(key) != len(self.columns):
            return None
        typed = all(type(k) is c.type.python_type for k, c in zip(key, self.columns, strict=True))
        return key if typed else None


def page_of(
    rows: Sequence[Any], limit: int, order: Order, scope: str
) -> tuple[list[Any], str | None]:
    """Split ``limit`` + 1 rows into those to show and the cursor of the rest."""
    if len(rows) <= limit:
        return list(rows), None
    return list(rows[:limit]), encode(order.key(rows[limit - 1]), scope)


def encode(key: Key, scope: str) -> str:
    """Return the cursor after ``key`` in the list that ``scope`` describes."""
    body = json.dumps(key, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_digest(body, scope) + body).decode().rstrip("=")


def decode(cursor: str | None, order: Order, scope: str) -> Key | None:
    """Return the key that a cursor carries. Errors: InputError."""
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        digest, body = raw[:_DIGEST], raw[_DIGEST:]
        key = json.loads(body) if digest == _digest(body, scope) else None
    except (ValueError, binascii.Error, RecursionError) as exc:
        raise _foreign() from exc
    parsed = order.parse(key)
    if parsed is None:
        raise _foreign()
    return parsed


def _digest(body: bytes, scope: str) -> bytes:
    return hashlib.blake2b(
        body + b"\0" + scope.encode("utf-8", "replace"), digest_size=_DIGEST, person=b"urumi-cursor"
    ).digest()


def _foreign() -> InputError:
    rule = "must be a nextCursor of this list, with the same filter and order"
    return InputError(FieldError("cursor", rule))
