"""Users and their tokens. Of a token only the hash is kept; it is found by that."""

from __future__ import annotations

import secrets
from typing import Final

from sqlalchemy import delete, insert, select, update

from orchestrator.model.errors import Conflict, NotFound
from orchestrator.model.people import Principal, Role, Token, User
from orchestrator.records.audit import note
from orchestrator.records.cursors import Order, Page, decode, page_of
from orchestrator.records.rows import clean, token_of, user_of
from orchestrator.records.session import Engine, Session
from orchestrator.records.tables import tokens, users

ADMIN: Final = "admin"
ADMIN_TOKEN_ID: Final = "admin"
_USE_NOTED: Final = 60 * 1_000_000
"""Microseconds between two notes of a token's use: a request is a read, not a write."""

_BY_NAME: Final = Order((users.c.name,))
_BY_AGE: Final = Order((tokens.c.created_at, tokens.c.id))
_VALID: Final = tokens.c.revoked_at.is_(None)


class People:
    """Reads and writes users and tokens. ``by`` puts an act into the audit."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create_user(self, name: str, role: Role, *, by: Principal | None = None) -> User:
        """Create a user. Errors: Conflict."""

        async def work(session: Session) -> User:
            await session.queue_up()
            if await session.one(select(users.c.name).where(users.c.name == name)) is not None:
                raise Conflict(f"There is a user {name!r} already", field="name")
            await note(session, by, "UserCreated", f"user/{name}")
            return await _insert_user(session, name, role)

        return await self._engine.write(work)

    async def get_user(self, name: str) -> User:
        """Return a user. Errors: NotFound."""
        row = await self._engine.one(select(users).where(users.c.name == clean(name)))
        if row is None:
            raise NotFound(f"There is no user {name!r}")
        return user_of(row)

    async def users(self, limit: int, cursor: str | None) -> Page[User]:
        """Return a page of users, by name. Errors: InputError (the cursor)."""
        after = decode(cursor, _BY_NAME, "users")
        rows = await self._engine.all(_BY_NAME.apply(select(users), after).limit(limit + 1))
        shown, following = page_of(rows, limit, _BY_NAME, "users")
        return Page([user_of(row) for row in shown], following)

    async def create_token(
        self, user: str, name: str, token_hash: str, *, by: Principal | None = None
    ) -> Token:
        """Record a token of a user by its hash. Errors: NotFound (the user)."""

        async def work(session: Session) -> Token:
            await session.queue_up()
            if await session.one(select(users.c.name).where(users.c.name == user)) is None:
                raise NotFound(f"There is no user {user!r}")
            token_id = secrets.token_hex(8)
            await note(session, by, "TokenCreated", f"token/{token_id}")
            return await _insert_token(session, token_id, user, name, token_hash)

        return await self._engine.write(work)

    async def tokens(self, limit: int, cursor: str | None) -> Page[Token]:
        """Return a page of tokens, oldest first. Errors: InputError (the cursor)."""
        after = decode(cursor, _BY_AGE, "tokens")
        rows = await self._engine.all(
            _BY_AGE.apply(select(tokens).where(_VALID), after).limit(limit + 1)
        )
        shown, following = page_of(rows, limit, _BY_AGE, "tokens")
        return Page([token_of(row) for row in shown], following)

    async def delete_token(self, token_id: str, *, by: Principal | None = None) -> None:
        """Revoke a token. Errors: NotFound."""

        async def work(session: Session) -> None:
            await session.queue_up()
            gone = await session.one(
                update(tokens)
                .where(tokens.c.id == token_id, _VALID)
                .values(revoked_at=session.now)
                .returning(tokens.c.id)
            )
            if gone is None:
                raise NotFound("There is no such token")
            await note(session, by, "TokenRevoked", f"token/{token_id}")

        await self._engine.write(work)

    async def by_token_hash(self, token_hash: str) -> Principal | None:
        """Return whose token has a hash, and note its use once a minute."""
        row = await self._engine.one(
            select(tokens.c.id, tokens.c.last_used_at, users.c.name, users.c.role)
            .join(users, users.c.name == tokens.c.user)
            .where(tokens.c.hash == token_hash, _VALID)
        )
        if row is None:
            return None
        if (row["last_used_at"] or 0) <= self._engine.now() - _USE_NOTED:
            await self._engine.write(lambda session: _note_use(session, row["id"]))
        return Principal(row["name"], Role(row["role"]), row["id"])

    async def ensure_admin(self, token_hash: str) -> bool:
        """Make sure that the user ``admin`` exists and that this is the token of the settings.

        The one that the settings named before is void: the setting is how it is changed. Returns
        False if the token was revoked; it stays so.
        """

        async def work(session: Session) -> bool:
            await session.queue_up()
            if await session.one(select(users.c.name).where(users.c.name == ADMIN)) is None:
                await _insert_user(session, ADMIN, Role.ADMIN)
            this = select(tokens.c.revoked_at).where(tokens.c.hash == token_hash)
            known = await session.one(this)
            before = (tokens.c.id == ADMIN_TOKEN_ID) & (tokens.c.hash != token_hash)
            await session.run(delete(tokens).where(before))
            if known is None:
                await _insert_token(session, ADMIN_TOKEN_ID, ADMIN, "admin token", token_hash)
            return known is None or known["revoked_at"] is None

        return await self._engine.write(work)


async def _insert_user(session: Session, name: str, role: Role) -> User:
    row = await session.one(
        insert(users).values(name=name, role=str(role), created_at=session.now).returning(users)
    )
    if row is None:
        raise NotFound(f"User {name!r} vanished while it was made")
    return user_of(row)


async def _insert_token(
    session: Session, token_id: str, user: str, name: str, token_hash: str
) -> Token:
    row = await session.one(
        insert(tokens)
        .values(id=token_id, user=user, name=name, hash=token_hash, created_at=session.now)
        .returning(tokens)
    )
    if row is None:
        raise NotFound("The token vanished while it was made")
    return token_of(row)


async def _note_use(session: Session, token_id: str) -> None:
    await session.run(
        update(tokens).where(tokens.c.id == token_id).values(last_used_at=session.now)
    )
