"""Idempotency keys: the answer of a create, kept with the store in one transaction for 24 hours."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, delete, insert, select

from orchestrator.model.errors import IdempotencyMismatch
from orchestrator.model.kinds import Json
from orchestrator.model.store import Store
from orchestrator.records.rows import Row, clean, dumped
from orchestrator.records.session import Engine, Session
from orchestrator.records.tables import idempotency_keys

KEPT: Final = 24 * 3600 * 1_000_000
"""Microseconds for which a key is remembered."""


@dataclass(frozen=True)
class IdempotencyKey:
    """A key of a user, the digest of the body it came with, and how the answer is made."""

    user: str
    key: str
    digest: str
    answer: Callable[[Store], Json]


@dataclass(frozen=True)
class StoredAnswer:
    """What was answered when the key was first used."""

    store_id: str
    answer: Json


class Idempotency:
    """Looks keys up."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def find(self, user: str, key: str, digest: str) -> StoredAnswer | None:
        """Return the answer that a key got before. Errors: IdempotencyMismatch."""
        return _answer(await self._engine.one(_query(user, key, self._engine.now())), digest)


async def earlier_answer(session: Session, key: IdempotencyKey) -> StoredAnswer | None:
    """Return what the key got before, also from a create that was just faster than this one."""
    return _answer(await session.one(_query(key.user, key.key, session.now)), key.digest)


async def remember(session: Session, key: IdempotencyKey, store: Store) -> None:
    """Keep the answer for the store just made; forget what is too old, this key's too."""
    await session.run(
        delete(idempotency_keys).where(idempotency_keys.c.created_at <= session.now - KEPT)
    )
    await session.run(
        insert(idempotency_keys).values(
            user=key.user,
            key=clean(key.key),
            body_digest=key.digest,
            store_id=store.id,
            answer=dumped(key.answer(store)),
            created_at=session.now,
        )
    )


def _query(user: str, key: str, now: int) -> Select[Any]:
    return select(idempotency_keys).where(
        idempotency_keys.c.user == user,
        idempotency_keys.c.key == clean(key),
        idempotency_keys.c.created_at > now - KEPT,
    )


def _answer(row: Row | None, digest: str) -> StoredAnswer | None:
    if row is None:
        return None
    if row["body_digest"] != digest:
        raise IdempotencyMismatch("The Idempotency-Key was used with another request body before")
    return StoredAnswer(row["store_id"], json.loads(row["answer"]))
