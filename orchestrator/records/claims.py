"""Claims: who works on which store, and when each is to be looked at.

Invariants: one holder at a time; every take raises the fence, and whoever writes on behalf of a
claim proves in the same transaction that its fence still stands (`hold`), so a worker that lost its
lease can write nothing at all; a wake during a claim makes the store due again at its release. A
store that is deleted and made anew starts with another uid, so claims on the old one are void.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, case, cast, func, literal, or_, select, update

from orchestrator.model.errors import LeaseLost
from orchestrator.records.rows import Row, micros_or_none, moment
from orchestrator.records.session import Engine, Session, rung
from orchestrator.records.tables import claims

_LONGEST: Final = 4
"""No lease lasts longer than so many of the asker's own: processes may be of several versions."""


@dataclass(frozen=True)
class Claim:
    """The right to work on a store until ``until``. ``fence`` rises with every take."""

    store_id: str
    owner: str
    fence: int
    until: datetime
    uid: str


async def hold(session: Session, claim: Claim) -> None:
    """Make sure that the claim stands, and that nobody takes it before this transaction ends.

    Errors: LeaseLost.
    """
    row = await session.one(select(claims.c.store_id).where(*_mine(claim)).with_for_update())
    if row is None:
        raise LeaseLost(f"The claim on store {claim.store_id} was taken over")


async def wake_in(session: Session, store_id: str) -> None:
    """Make a store due now, in the caller's transaction."""
    await session.run(_woken(session.now).where(claims.c.store_id == store_id))
    session.woke = True


async def release_in(session: Session, claim: Claim, later: int | None) -> None:
    """Give a claim back until ``later`` of the records' time, in the caller's transaction."""
    woken = claims.c.wakes > claims.c.taken_wakes
    at = case((woken, _number(session.now)), else_=_number(later))
    await session.run(update(claims).where(*_mine(claim)).values(owner=None, until=None, due=at))
    session.woke = True  # whoever waits for the next due moment works it out anew


def _mine(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (
        claims.c.store_id == claim.store_id,
        claims.c.store_uid == claim.uid,
        claims.c.owner == claim.owner,
        claims.c.fence == claim.fence,
    )


def _number(value: int | None) -> ColumnElement[Any]:
    """A number whose type PostgreSQL need not guess."""
    return cast(literal(value, BigInteger), BigInteger)


def _woken(now: int) -> Any:
    at = _number(now)
    sooner = case((or_(claims.c.due.is_(None), claims.c.due > at), at), else_=claims.c.due)
    return update(claims).values(wakes=claims.c.wakes + 1, due=sooner)


class Claims:
    """The queue of stores to look at."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._looked = engine.woken.ticket()

    @property
    def clock_steps(self) -> int:
        """How often somebody set the clock: moments recorded before each mean other times now."""
        return self._engine.steps

    async def take(self, owner: str, lease: float) -> Claim | None:
        """Claim the store that is due longest, for ``lease`` seconds; None: none is due."""
        self._looked = self._engine.woken.ticket()
        return await self._engine.write(lambda session: _take(session, owner, lease))

    async def renew(self, claim: Claim, lease: float) -> Claim:
        """Extend a claim to ``lease`` seconds from now. Errors: LeaseLost."""

        async def work(session: Session) -> Row | None:
            return await session.one(
                update(claims)
                .where(*_mine(claim))
                .values(until=_after(session.now, lease))
                .returning(claims.c.until)
            )

        row = await self._engine.write(work)
        if row is None:
            raise LeaseLost(f"The claim on store {claim.store_id} was taken over")
        return replace(claim, until=moment(row["until"]))

    async def release(self, claim: Claim, *, due: datetime | None) -> None:
        """Give a claim back and say when to look again by this process's clock; None: when woken.

        A claim that was lost, or whose store is gone, is left as it is.
        """
        local = micros_or_none(due)

        async def work(session: Session) -> None:
            later = None if local is None else self._engine.of_records(local)
            await release_in(session, claim, later)

        await self._engine.write(work)

    async def wake(self, store_id: str) -> None:
        """Make a store due now; if it is claimed, then at its release."""
        await self._engine.write(lambda session: wake_in(session, store_id))

    async def wake_all(self, spread: float = 0.0) -> None:
        """Make every store due: now, or one after the other within ``spread`` seconds."""

        async def work(session: Session) -> None:
            await session.queue_up()  # two of these at once would lock rows crosswise
            if spread <= 0:
                await session.run(_woken(session.now))
            else:
                rows = await session.all(select(claims.c.store_id).order_by(claims.c.store_id))
                for i, row in enumerate(rows):
                    at = _after(session.now, spread * i / len(rows))
                    await session.run(_woken(at).where(claims.c.store_id == row["store_id"]))
            session.woke = True

        await self._engine.write(work)

    async def expire_all(self) -> None:
        """Void every claim: all holders were in a process that is dead."""

        async def work(session: Session) -> None:
            await session.queue_up()
            await session.run(
                update(claims)
                .where(claims.c.owner.is_not(None))
                .values(owner=None, until=None, fence=claims.c.fence + 1, due=session.now)
            )
            session.woke = True

        await self._engine.write(work)

    async def next_due(self) -> datetime | None:
        """Return when, by this process's clock, the next store can be claimed; it may be past."""
        held = case((claims.c.until > claims.c.due, claims.c.until), else_=claims.c.due)
        row = await self._engine.one(
            select(func.min(held).label("due")).where(claims.c.due.is_not(None))
        )
        if row is None or row["due"] is None:
            return None
        return moment(self._engine.of_process(row["due"]))

    async def depth(self) -> tuple[int, float]:
        """Return how many stores wait to be claimed, and for how many seconds the oldest has."""
        now = self._engine.now()
        row = await self._engine.one(
            select(func.count().label("depth"), func.min(claims.c.due).label("oldest")).where(
                *_claimable(now)
            )
        )
        if row is None or row["oldest"] is None:
            return 0, 0.0
        return int(row["depth"]), max(0.0, (now - row["oldest"]) / 1e6)

    async def wait(self, timeout: float) -> None:  # noqa: ASYNC109
        """Return when this process woke or released a store since the last `take`, or in time."""
        await rung(self._looked, timeout)
        await asyncio.sleep(0)


def _after(now: int, seconds: float) -> int:
    return now + int(seconds * 1e6)


def _claimable(now: int, beyond: int | None = None) -> tuple[ColumnElement[bool], ...]:
    """A lease until after ``beyond`` is of before the clock was set back, and counts as ended."""
    free = or_(claims.c.until.is_(None), claims.c.until <= now)
    return (claims.c.due <= now, free if beyond is None else or_(free, claims.c.until > beyond))


async def _take(session: Session, owner: str, lease: float) -> Claim | None:
    longest_due = (
        select(claims.c.store_id)
        .where(*_claimable(session.now, _after(session.now, _LONGEST * lease)))
        .order_by(claims.c.due, claims.c.store_id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    row = await session.one(
        update(claims)
        .where(claims.c.store_id == longest_due)
        .values(
            owner=owner,
            until=_after(session.now, lease),
            fence=claims.c.fence + 1,
            taken_wakes=claims.c.wakes,
        )
        .returning(claims)
    )
    if row is None:
        return None
    return Claim(row["store_id"], owner, row["fence"], moment(row["until"]), row["store_uid"])
