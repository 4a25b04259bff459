from __future__ import annotations

import logging

import pytest

from orchestrator.model.errors import Conflict, NotFound
from orchestrator.model.people import Principal, Role
from orchestrator.records import Records, open_records
from tests.records.support import Clock, sql

ADMIN = Principal("admin", Role.ADMIN, "admin")


async def test_the_admins_token_is_that_of_the_settings(records: Records) -> None:
    await records.people.ensure_admin("first")
    await records.people.ensure_admin("first")
    assert await records.people.by_token_hash("first") == ADMIN

    await records.people.ensure_admin("second")

    assert await records.people.by_token_hash("second") == ADMIN
    assert await records.people.by_token_hash("first") is None, "the old token still opens"
    assert len((await records.people.tokens(10, None)).items) == 1


async def test_a_token_that_is_known_already_takes_the_place_too(records: Records) -> None:
    await records.people.ensure_admin("first")
    second = await records.people.create_token("admin", "laptop", "second")

    assert await records.people.ensure_admin("second")

    assert await records.people.by_token_hash("first") is None, "the old token still opens"
    assert await records.people.by_token_hash("second") == Principal("admin", Role.ADMIN, second.id)


async def test_the_admins_token_once_revoked_stays_so(records: Records) -> None:
    assert await records.people.ensure_admin("first")
    await records.people.delete_token("admin")

    assert not await records.people.ensure_admin("first")
    assert await records.people.by_token_hash("first") is None
    assert (await records.people.tokens(10, None)).items == []
    with pytest.raises(NotFound):
        await records.people.delete_token("admin")

    assert await records.people.ensure_admin("second")
    assert await records.people.by_token_hash("second") == ADMIN


async def test_users_and_tokens(records: Records, clock: Clock) -> None:
    user = await records.people.create_user("Jané 🛒", Role.MEMBER)
    with pytest.raises(Conflict) as taken:
        await records.people.create_user("Jané 🛒", Role.ADMIN)
    assert taken.value.field == "name"
    token = await records.people.create_token("Jané 🛒", "laptop", "hash-1")
    with pytest.raises(NotFound):
        await records.people.create_token("nobody", "laptop", "hash-2")

    assert await records.people.get_user("Jané 🛒") == user
    with pytest.raises(NotFound):
        await records.people.get_user("nobody")
    assert (user.created_at, token.created_at, token.last_used_at) == (clock(), clock(), None)
    principal = await records.people.by_token_hash("hash-1")
    assert principal == Principal("Jané 🛒", Role.MEMBER, token.id)
    await records.people.delete_token(token.id)
    assert await records.people.by_token_hash("hash-1") is None
    with pytest.raises(NotFound):
        await records.people.delete_token(token.id)


async def test_a_tokens_use_is_noted_but_not_at_every_request(
    records: Records, clock: Clock
) -> None:
    await records.people.create_user("jane", Role.MEMBER)
    await records.people.create_token("jane", "laptop", "hash-1")

    async def used() -> float | None:
        await records.people.by_token_hash("hash-1")
        last = (await records.people.tokens(10, None)).items[0].last_used_at
        return None if last is None else (clock() - last).total_seconds()

    assert await used() == 0
    clock.advance(30)
    assert await used() == 30
    clock.advance(31)
    assert await used() == 0


async def test_pages_of_people(records: Records, clock: Clock) -> None:
    for name in ("b", "c", "a"):
        await records.people.create_user(name, Role.MEMBER)
        await records.people.create_token(name, f"of {name}", f"hash-{name}")
        clock.advance(1)

    users = await records.people.users(2, None)
    more = await records.people.users(2, users.next_cursor)
    tokens = await records.people.tokens(2, None)
    others = await records.people.tokens(2, tokens.next_cursor)

    assert [u.name for u in users.items + more.items] == ["a", "b", "c"]
    assert [t.user for t in tokens.items + others.items] == ["b", "c", "a"]
    assert more.next_cursor is None and others.next_cursor is None


async def test_acts_on_people_are_in_the_audit(records: Records) -> None:
    await records.people.create_user("jane", Role.MEMBER, by=ADMIN)
    token = await records.people.create_token("jane", "laptop", "hash", by=ADMIN)
    await records.people.delete_token(token.id, by=ADMIN)
    acts = [(a.user, a.action, a.target) for a in (await records.audit.list()).items]
    assert acts == [
        ("admin", "TokenRevoked", f"token/{token.id}"),
        ("admin", "TokenCreated", f"token/{token.id}"),
        ("admin", "UserCreated", "user/jane"),
    ]


async def test_no_column_could_hold_a_tokens_text(records: Records, url: str) -> None:
    await records.people.ensure_admin("the-hash")
    rows = await sql(url, "SELECT * FROM tokens")
    assert [value for value in rows[0] if value == "the-hash"] == ["the-hash"]
    assert len(rows[0]) == 7, "a new column: does it hold a secret?"


async def test_no_value_is_logged_even_at_level_debug(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("", "alembic", "databases", "aiosqlite", "asyncpg"):  # whatever others have set
        caplog.set_level(logging.DEBUG, name)
    async with open_records(url) as records:
        await records.people.ensure_admin("the-hash")
        await records.people.by_token_hash("the-hash")
    assert caplog.records, "nothing was logged, so nothing was shown"
    assert "the-hash" not in caplog.text
