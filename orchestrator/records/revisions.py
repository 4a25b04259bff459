"""Revisions: the attempts to bring a spec to Ready, with inventory, outcome and evidence.

Every write proves its claim first (`hold`): a worker that lost its lease writes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, Text, case, cast, insert, literal, select, update

from orchestrator.model.errors import Conflict, LeaseLost, NotFound
from orchestrator.model.inventory import Inventory
from orchestrator.model.overview import FailedRevision, Provisioned
from orchestrator.model.spec import StoreSpec
from orchestrator.model.store import Outcome, Revision, Store, Trigger
from orchestrator.model.timeline import NewEntry
from orchestrator.records.claims import Claim, hold
from orchestrator.records.cursors import Order, Page, decode, page_of
from orchestrator.records.rows import (
    LARGEST,
    Row,
    dumped,
    moment,
    revision_of,
    revision_values,
    store_of,
)
from orchestrator.records.session import Engine, Session
from orchestrator.records.stores import domain_held, write_spec
from orchestrator.records.tables import revisions, stores
from orchestrator.records.timeline import Subject, write_entries

_ORDER = Order((revisions.c.number,), descending=True)
_SECOND = 1_000_000


class Revisions:
    """Reads and writes revisions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def provisioned(self, limit: int) -> list[Provisioned]:
        """Return how long the newest stores took from the request to Ready, newest first."""
        first = (
            select(stores.c.id, stores.c.created_at, stores.c.ready_at)
            .where(stores.c.ready_at.is_not(None))
            .order_by(stores.c.ready_at.desc())
            .limit(limit)
        )
        return [
            Provisioned(
                row["id"],
                moment(row["ready_at"]),
                (row["ready_at"] - row["created_at"]) / _SECOND,
            )
            for row in await self._engine.all(first)
        ]

    async def failures(self, limit: int) -> list[FailedRevision]:
        """Return the newest revisions that failed, newest first."""
        failed = (
            select(
                revisions.c.store_id,
                revisions.c.number,
                revisions.c.created_at,
                revisions.c.message,
            )
            .where(revisions.c.outcome == str(Outcome.FAILED))
            .order_by(revisions.c.created_at.desc())
            .limit(limit)
        )
        return [
            FailedRevision(
                row["store_id"], row["number"], moment(row["created_at"]), row["message"]
            )
            for row in await self._engine.all(failed)
        ]

    async def begin(
        self,
        claim: Claim,
        *,
        trigger: Trigger,
        generation: int,
        attempt: int,
        spec: StoreSpec,
        template_digest: str,
        inventory: Inventory,
        entry: Callable[[int], NewEntry],
    ) -> Revision:
        """Start the next revision; one that is still under way is superseded.

        ``entry`` returns what the timeline says of it, given its number. Errors: LeaseLost.
        """
        values = {
            "trigger": str(trigger),
            "generation": generation,
            "attempt": attempt,
            "spec": dumped(spec.to_json()),
            "template_digest": template_digest,
            "inventory": dumped(inventory.to_json()),
        }

        async def work(session: Session) -> Revision:
            await session.queue_up()  # the store's row is locked too, by the foreign key
            await hold(session, claim)
            revision = await _begin(session, claim.store_id, values)
            row = await session.one(select(stores).where(stores.c.id == claim.store_id))
            if row is None:
                raise LeaseLost(f"Store {claim.store_id} is gone")
            about, first = Subject.of(row), await session.number()
            await write_entries(session, about, [entry(revision.number)], first)
            return revision

        return await self._engine.write(work)

    async def save(self, claim: Claim, before: Revision, after: Revision) -> None:
        """Record what changed of a revision: inventory, clock, outcome, message, evidence.

        Errors: LeaseLost, NotFound.
        """

        async def work(session: Session) -> None:
            await session.queue_up()  # the store's row may change too
            await hold(session, claim)
            await write_revision(session, claim, before, after)

        await self._engine.write(work)

    async def revert(self, claim: Claim, *, failed: int, to: int, entry: NewEntry) -> Store:
        """Write the spec of revision ``to`` as a new generation, and return the store.

        Only if nobody asked for anything else since revision ``failed`` began: otherwise the store
        is returned as it is. Errors: LeaseLost, NotFound, Conflict (the domain).
        """

        async def work(session: Session) -> Store:
            await session.queue_up()
            await hold(session, claim)
            bad = await _revision(session, claim.store_id, failed)
            good = await _revision(session, claim.store_id, to)
            row = await session.one(select(stores).where(stores.c.id == claim.store_id))
            if row is None:
                raise NotFound(f"There is no store {claim.store_id!r}")
            store = store_of(row)
            asked = (store.generation, store.attempt) != (bad.generation, bad.attempt)
            if asked or store.deleting_since is not None:
                return store
            if await domain_held(session, good.spec.domain, store.id):
                raise Conflict(
                    f"Another store has the domain {good.spec.domain} by now", field="domain"
                )
            return await write_spec(session, row, good.spec, entry)

        return await self._engine.write(work)

    async def latest(self, store_id: str) -> Revision | None:
        """Return a store's newest revision."""
        return _maybe(await self._engine.one(_newest_first(store_id).limit(1)))

    async def last_ready(self, store_id: str) -> Revision | None:
        """Return the newest revision that became Ready."""
        ready = revisions.c.outcome == str(Outcome.READY)
        return _maybe(await self._engine.one(_newest_first(store_id).where(ready).limit(1)))

    async def list(self, store_id: str, limit: int, cursor: str | None) -> Page[Revision]:
        """Return a page of revisions, newest first. Errors: InputError (the cursor).

        Evidence may be large: here it is an empty object where there is some, else None.
        """
        scope = dumped(["revisions", store_id])
        after = decode(cursor, _ORDER, scope)
        some = case(
            (revisions.c.evidence.is_not(None), cast(literal("{}", Text), Text)), else_=None
        ).label("evidence")
        columns = [c for c in revisions.c if c is not revisions.c.evidence]
        query = select(*columns, some).where(revisions.c.store_id == store_id)
        rows = await self._engine.all(_ORDER.apply(query, after).limit(limit + 1))
        shown, following = page_of(rows, limit, _ORDER, scope)
        return Page([revision_of(row) for row in shown], following)

    async def get(self, store_id: str, number: int) -> Revision:
        """Return one revision. Errors: NotFound."""
        query = select(revisions).where(
            revisions.c.store_id == store_id, revisions.c.number == min(number, LARGEST)
        )
        found = _maybe(await self._engine.one(query))
        if found is None:
            raise NotFound(f"Store {store_id} has no revision {number}")
        return found


async def write_revision(session: Session, claim: Claim, before: Revision, after: Revision) -> None:
    """Write the columns in which ``after`` differs, under a claim that the caller holds."""
    values = revision_values(before, after)
    if not values:
        return
    row = await session.one(
        update(revisions)
        .where(revisions.c.store_id == claim.store_id, revisions.c.number == after.number)
        .values(**values)
        .returning(revisions.c.spec)
    )
    if row is None:
        raise NotFound(f"Store {claim.store_id} has no revision {after.number}")
    if values.get("outcome") == str(Outcome.READY):
        await _keep_domain(session, claim.store_id, row)


async def _begin(session: Session, store_id: str, values: dict[str, Any]) -> Revision:
    await session.run(
        update(revisions)
        .where(revisions.c.store_id == store_id, revisions.c.outcome == str(Outcome.PROGRESSING))
        .values(outcome=str(Outcome.SUPERSEDED), message="A newer revision took its place")
    )
    last = await session.one(_newest_first(store_id).limit(1))
    row = await session.one(
        insert(revisions)
        .values(
            store_id=store_id,
            number=last["number"] + 1 if last else 1,
            outcome=str(Outcome.PROGRESSING),
            message="",
            created_at=session.now,
            elapsed=0.0,
            **values,
        )
        .returning(revisions)
    )
    if row is None:
        raise NotFound(f"The revision of store {store_id!r} vanished while it was made")
    return revision_of(row)


async def _keep_domain(session: Session, store_id: str, row: Row) -> None:
    """Hold the domain that was Ready for the store until a later revision is Ready with another."""
    domain = json.loads(row["spec"]).get("domain")
    await session.run(update(stores).where(stores.c.id == store_id).values(ready_domain=domain))


async def _revision(session: Session, store_id: str, number: int) -> Revision:
    row = await session.one(
        select(revisions).where(revisions.c.store_id == store_id, revisions.c.number == number)
    )
    if row is None:
        raise NotFound(f"Store {store_id} has no revision {number}")
    return revision_of(row)


def _newest_first(store_id: str) -> Select[Any]:
    return (
        select(revisions)
        .where(revisions.c.store_id == store_id)
        .order_by(revisions.c.number.desc())
    )


def _maybe(row: Row | None) -> Revision | None:
    return None if row is None else revision_of(row)
