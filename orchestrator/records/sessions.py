"""Signed-in browsers and the one-time codes of log-in links. Of both only the hash is kept.

Invariants: neither outlives the token that it was made with; a code opens one session at most,
whoever sends it first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, Literal

from sqlalchemy import Select, delete, insert, select

from orchestrator.model.people import Principal, Role
from orchestrator.records.audit import note
from orchestrator.records.rows import Row
from orchestrator.records.session import Engine, Session
from orchestrator.records.tables import sessions, tokens, users

Kind = Literal["session", "code"]
_MICROSECONDS: Final = timedelta(microseconds=1)
_WHO: Final = (
    select(tokens.c.id, users.c.name, users.c.role)
    .select_from(sessions)
    .join(tokens, tokens.c.id == sessions.c.token_id)
    .join(users, users.c.name == tokens.c.user)
    .where(tokens.c.revoked_at.is_(None))
)


class Sessions:
    """Opens, finds and ends them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def open(self, principal: Principal, kind: Kind, hash_: str, lasts: timedelta) -> None:
        """Record a session or a code of whoever came with a token; what has expired goes."""

        async def work(session: Session) -> None:
            await session.queue_up()
            await session.run(delete(sessions).where(sessions.c.expires_at <= session.now))
            await _insert(session, principal, kind, hash_, lasts)

        await self._engine.write(work)

    async def exchange(self, code_hash: str, hash_: str, lasts: timedelta) -> Principal | None:
        """Use a code up and open a session for it; None when it is not known, or not any more."""

        async def work(session: Session) -> Principal | None:
            await session.queue_up()
            found = await session.one(_alive("code", code_hash, session.now))
            await session.run(delete(sessions).where(sessions.c.hash == code_hash))
            if found is None:
                return None
            principal = _principal(found)
            await _insert(session, principal, "session", hash_, lasts)
            return principal

        return await self._engine.write(work)

    async def find(self, hash_: str) -> Principal | None:
        """Return whose session has a hash."""
        found = await self._engine.one(_alive("session", hash_, self._engine.now()))
        return None if found is None else _principal(found)

    async def end(self, hashes: Sequence[str], *, by: Principal) -> None:
        """End sessions; one that is not there is none already."""

        async def work(session: Session) -> None:
            await session.queue_up()
            await session.run(delete(sessions).where(sessions.c.hash.in_(hashes)))
            await note(session, by, "SignedOut", f"user/{by.user}")

        await self._engine.write(work)


async def _insert(
    session: Session, principal: Principal, kind: Kind, hash_: str, lasts: timedelta
) -> None:
    await session.run(
        insert(sessions).values(
            hash=hash_,
            kind=kind,
            token_id=principal.token_id,
            created_at=session.now,
            expires_at=session.now + lasts // _MICROSECONDS,
        )
    )
    action = "SignedIn" if kind == "session" else "LoginLinkMade"
    await note(session, principal, action, f"user/{principal.user}")


def _alive(kind: Kind, hash_: str, now: int) -> Select[Any]:
    return _WHO.where(
        sessions.c.hash == hash_, sessions.c.kind == kind, sessions.c.expires_at > now
    )


def _principal(row: Row) -> Principal:
    return Principal(row["name"], Role(row["role"]), row["id"])
