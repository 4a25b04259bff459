"""Stores: the desired state and the lists.

Invariants: every change of what is desired writes the store, its timeline entry and the wake in one
transaction; all such transactions come one after the other (`Session.queue_up`), so what is checked
(id, domain, limit, generation, phase) still holds when it is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, case, func, insert, or_, select, update

from orchestrator.model.errors import (
    Conflict,
    FieldError,
    InputError,
    LimitExceeded,
    NotFound,
    PreconditionFailed,
)
from orchestrator.model.kinds import Json
from orchestrator.model.people import Principal
from orchestrator.model.plans import PLANS
from orchestrator.model.spec import StoreSpec
from orchestrator.model.store import Phase, Status, Store
from orchestrator.model.timeline import NewEntry
from orchestrator.records.audit import note
from orchestrator.records.claims import wake_in
from orchestrator.records.cursors import Order, Page, decode, page_of
from orchestrator.records.idempotency import IdempotencyKey, earlier_answer, remember
from orchestrator.records.rows import (
    Row,
    clean,
    dumped,
    folded,
    moment,
    spec_values,
    status_values,
    store_of,
)
from orchestrator.records.session import Engine, Session
from orchestrator.records.tables import claims, stores
from orchestrator.records.timeline import Subject, write_entries

LIMIT_SETTING: Final = "URUMI_MAX_STORES_PER_USER"
_SORTS: Final = {
    "createdAt": (stores.c.created_at, stores.c.id),
    "updatedAt": (stores.c.updated_at, stores.c.id),
    "name": (stores.c.name_key, stores.c.id),
    "phase": (stores.c.phase, stores.c.id),
    "id": (stores.c.id,),
}


@dataclass(frozen=True)
class NewStoreRow:
    """A store to be."""

    id: str
    uid: str
    owner: str
    spec: StoreSpec


@dataclass(frozen=True)
class CreatedStore:
    """What a create made, or made before: then ``replayed``, and ``answer`` is that of then."""

    store: Store
    answer: Json | None = None
    replayed: bool = False


@dataclass(frozen=True)
class StoreQuery:
    """What to list. ``q`` is looked for in id, name and domain; ``sort`` is ``-name`` or so."""

    owner: str | None = None
    phase: str | None = None
    q: str | None = None
    sort: str = "createdAt"
    limit: int = 50
    cursor: str | None = None


class Stores:
    """Reads and writes what is desired of stores. ``by`` puts an act into the audit."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(
        self,
        new: NewStoreRow,
        *,
        entry: NewEntry,
        limit: int,
        idempotency: IdempotencyKey | None = None,
        by: Principal | None = None,
    ) -> CreatedStore:
        """Record a new store and make it due. ``limit`` stores per owner, 0: no limit.

        Errors: Conflict (id or domain), LimitExceeded, IdempotencyMismatch.
        """

        async def work(session: Session) -> CreatedStore:
            await session.queue_up()
            if idempotency is not None:
                earlier = await earlier_answer(session, idempotency)
                if earlier is not None:
                    store = await _replayed(session, earlier.store_id, new)
                    return CreatedStore(store, earlier.answer, replayed=True)
            await _check_free(session, new)
            await _check_limit(session, new.owner, limit)
            store = await _insert(session, new, entry)
            await note(session, by, entry.reason, f"store/{new.id}")
            if idempotency is not None:
                await remember(session, idempotency, store)
            return CreatedStore(store)

        return await self._engine.write(work)

    async def get(self, store_id: str) -> Store:
        """Return a store. Errors: NotFound."""
        store = await self.exists(store_id)
        if store is None:
            raise NotFound(f"There is no store {store_id!r}")
        return store

    async def exists(self, store_id: str) -> Store | None:
        """Return a store, or None."""
        row = await self._engine.one(select(stores).where(stores.c.id == store_id))
        return None if row is None else store_of(row)

    async def list(self, query: StoreQuery) -> Page[Store]:
        """Return a page of stores. Errors: InputError (the cursor, the order)."""
        name = query.sort.removeprefix("-")
        if name not in _SORTS:
            raise InputError(FieldError("sort", f"must be one of {', '.join(_SORTS)}, or -name"))
        order = Order(_SORTS[name], descending=query.sort.startswith("-"))
        scope = dumped(["stores", query.owner, query.phase, query.q, query.sort])
        after = decode(query.cursor, order, scope)
        filtered = select(stores).where(*_filters(query))
        rows = await self._engine.all(order.apply(filtered, after).limit(query.limit + 1))
        shown, following = page_of(rows, query.limit, order, scope)
        return Page([store_of(row) for row in shown], following)

    async def change_spec(
        self,
        store_id: str,
        spec: StoreSpec,
        *,
        if_generation: int | None,
        entry: NewEntry,
        by: Principal | None = None,
    ) -> Store:
        """Write a new desired state as the next generation; the same one again changes nothing.

        Errors: NotFound, PreconditionFailed, Conflict (in deletion, domain taken).
        """

        async def work(session: Session) -> Store:
            await session.queue_up()
            row = await _locked(session, store_id)
            store = store_of(row)
            if if_generation is not None and store.generation != if_generation:
                raise PreconditionFailed(f"The generation is {store.generation} by now")
            _check_alive(store)
            if store.spec == spec:
                return store
            await _check_domain(session, spec.domain, store_id)
            changed = await write_spec(session, row, spec, entry)
            await note(session, by, entry.reason, f"store/{store_id}")
            return changed

        return await self._engine.write(work)

    async def request_delete(
        self, store_id: str, entry: NewEntry, *, by: Principal | None = None
    ) -> Store:
        """Mark a store for deletion; again is the same. Errors: NotFound."""

        async def work(session: Session) -> Store:
            await session.queue_up()
            row = await _locked(session, store_id)
            if row["deleting_since"] is not None:
                return store_of(row)
            await note(session, by, entry.reason, f"store/{store_id}")
            values = {
                "phase": str(Phase.DELETING),
                "message": "Waiting to be deleted",
                "deleting_since": session.now,
            }
            return await _change(session, row, values, entry)

        return await self._engine.write(work)

    async def request_retry(
        self, store_id: str, entry: NewEntry, *, by: Principal | None = None
    ) -> Store:
        """Ask for another attempt at a failed store. Errors: NotFound, Conflict."""

        async def work(session: Session) -> Store:
            await session.queue_up()
            row = await _locked(session, store_id)
            _check_alive(store_of(row))
            if row["phase"] != Phase.FAILED:
                raise Conflict(
                    f"Store {store_id} is {row['phase']}: only a Failed one can be retried",
                    field="phase",
                )
            await note(session, by, entry.reason, f"store/{store_id}")
            values = {
                "phase": str(Phase.PENDING),
                "message": "Waiting for another attempt",
                "attempt": row["attempt"] + 1,
            }
            return await _change(session, row, values, entry)

        return await self._engine.write(work)

    async def counts_by_phase(self) -> dict[Phase, int]:
        """Return how many stores are in each phase, zeros included."""
        rows = await self._engine.all(
            select(stores.c.phase, func.count().label("stores")).group_by(stores.c.phase)
        )
        return dict.fromkeys(Phase, 0) | {Phase(row["phase"]): row["stores"] for row in rows}

    async def counts_by_plan(self) -> dict[str, int]:
        """Return how many stores there are of each plan, those in deletion left out."""
        # Exact: inside a JSON string every quotation mark follows a backslash.
        plan = case(*((stores.c.spec.contains(f'"plan":"{name}"'), name) for name in PLANS))
        rows = await self._engine.all(
            select(plan.label("plan"), func.count().label("stores"))
            .where(stores.c.deleting_since.is_(None))
            .group_by(plan)
        )
        return dict.fromkeys(PLANS, 0) | {row["plan"]: row["stores"] for row in rows}

    async def all_ids(self) -> Sequence[tuple[str, str]]:
        """Return id and uid of every store, by id."""
        rows = await self._engine.all(select(stores.c.id, stores.c.uid).order_by(stores.c.id))
        return [(row["id"], row["uid"]) for row in rows]

    async def count_owned(self, owner: str) -> int:
        """Return how many stores somebody has, those in deletion included."""
        row = await self._engine.one(_count_owned(owner))
        return int(row["stores"]) if row else 0

    async def domain_taken(self, domain: str, except_id: str | None) -> bool:
        """Whether another store has a domain, or may yet go back to it."""
        return await self._engine.one(_domain_holder(domain, except_id)) is not None


async def write_spec(session: Session, row: Row, spec: StoreSpec, entry: NewEntry) -> Store:
    """Write a spec as the next generation of the store in ``row``."""
    values = {**spec_values(row["id"], spec), "generation": row["generation"] + 1}
    return await _change(session, row, values, entry)


async def _change(session: Session, row: Row, values: dict[str, Any], entry: NewEntry) -> Store:
    """Write a store's columns, its entry and the wake, and return the store."""
    first = await session.number(2)
    changed = await session.one(
        update(stores)
        .where(stores.c.id == row["id"])
        .values(**values, updated_at=session.now, changed_seq=first)
        .returning(stores)
    )
    if changed is None:
        raise NotFound(f"There is no store {row['id']!r}")
    await write_entries(session, Subject.of(row), [entry], first + 1)
    await wake_in(session, row["id"])
    return store_of(changed)


async def _insert(session: Session, new: NewStoreRow, entry: NewEntry) -> Store:
    first = await session.number(2)
    row = await session.one(
        insert(stores)
        .values(
            id=new.id,
            uid=new.uid,
            owner=new.owner,
            ready_domain=None,
            generation=1,
            attempt=1,
            created_at=session.now,
            updated_at=session.now,
            deleting_since=None,
            changed_seq=first,
            **spec_values(new.id, new.spec),
            **status_values(Status()),
        )
        .returning(stores)
    )
    if row is None:
        raise NotFound(f"Store {new.id!r} vanished while it was made")
    await session.run(
        insert(claims).values(
            store_id=new.id, store_uid=new.uid, fence=0, due=session.now, wakes=1, taken_wakes=0
        )
    )
    session.woke = True
    await write_entries(session, Subject(new.id, new.uid, new.owner), [entry], first + 1)
    return store_of(row)


async def _replayed(session: Session, store_id: str, new: NewStoreRow) -> Store:
    """Return the store of an earlier create; when it is gone by now, as it was asked for."""
    row = await session.one(select(stores).where(stores.c.id == store_id))
    if row is not None:
        return store_of(row)
    at = moment(session.now)
    return Store(store_id, new.uid, new.owner, new.spec, 1, 1, Status(), at, at)


async def _locked(session: Session, store_id: str) -> Row:
    row = await session.one(select(stores).where(stores.c.id == store_id))
    if row is None:
        raise NotFound(f"There is no store {store_id!r}")
    return row


async def _check_free(session: Session, new: NewStoreRow) -> None:
    row = await session.one(select(stores).where(stores.c.id == new.id))
    if row is not None:
        going = " and in deletion" if row["deleting_since"] is not None else ""
        raise Conflict(f"The id {new.id!r} is taken{going}", field="id")
    await _check_domain(session, new.spec.domain, None)


async def domain_held(session: Session, domain: str | None, except_id: str | None) -> bool:
    """Whether another store has a domain, or may yet go back to it."""
    if domain is None:
        return False
    return await session.one(_domain_holder(domain, except_id)) is not None


async def _check_domain(session: Session, domain: str | None, except_id: str | None) -> None:
    if await domain_held(session, domain, except_id):
        raise Conflict(f"Another store has the domain {domain}", field="domain")


async def _check_limit(session: Session, owner: str, limit: int) -> None:
    row = await session.one(_count_owned(owner))
    if limit and row is not None and row["stores"] >= limit:
        raise LimitExceeded(
            LIMIT_SETTING,
            f"Stores that you have: {row['stores']}; the limit is {limit} ({LIMIT_SETTING})",
        )


def _check_alive(store: Store) -> None:
    if store.deleting_since is not None:
        raise Conflict(f"Store {store.id} is in deletion", field="phase")


def _count_owned(owner: str) -> Select[Any]:
    return select(func.count().label("stores")).where(stores.c.owner == owner)


def _domain_holder(domain: str, except_id: str | None) -> Select[Any]:
    """Find who has a domain now, or had it when last Ready and goes back to it on failure."""
    held = or_(stores.c.domain == domain, stores.c.ready_domain == domain)
    query = select(stores.c.id).where(held)
    return query if except_id is None else query.where(stores.c.id != except_id)


def _filters(query: StoreQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.owner is not None:
        found.append(stores.c.owner == query.owner)
    if query.phase is not None:
        found.append(stores.c.phase == str(query.phase))
    if query.q:
        found.append(stores.c.search.like(f"%{_escaped(folded(clean(query.q)))}%", escape="!"))
    return found


def _escaped(text: str) -> str:
    for special in "!%_":
        text = text.replace(special, "!" + special)
    return text
