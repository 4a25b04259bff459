"""What the reconciler observed, and a store's end: written only under a claim that stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, select, update

from orchestrator.model.errors import LeaseLost
from orchestrator.model.store import Phase, Revision, Status, Store
from orchestrator.model.timeline import NewEntry
from orchestrator.records.claims import Claim, hold, release_in
from orchestrator.records.revisions import write_revision
from orchestrator.records.rows import Row, micros, status_values, store_of
from orchestrator.records.session import Engine, Session
from orchestrator.records.tables import stores
from orchestrator.records.timeline import Subject, write_entries


class Statuses:
    """Writes statuses."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def save(
        self,
        claim: Claim,
        status: Status,
        entries: Sequence[NewEntry],
        *,
        attempt: int | None = None,
        revision: tuple[Revision, Revision] | None = None,
        due: datetime | None = None,
    ) -> Store | None:
        """Write a status and entries; return the store if its status changed, else None.

        ``attempt`` is the one that was looked at. A store whose deletion or whose next attempt was
        asked for in the meantime keeps the phase and message of that. ``revision``, as it was and
        as it is, is written with it; ``due`` also gives the claim back until then.
        Errors: LeaseLost, NotFound (the revision).
        """

        async def work(session: Session) -> Store | None:
            await session.queue_up()
            await hold(session, claim)
            if revision is not None:
                await write_revision(session, claim, *revision)
            changed = await _write(session, claim, status, entries, attempt)
            if due is not None:
                await release_in(session, claim, self._engine.of_records(micros(due)))
            return changed

        return await self._engine.write(work)

    async def remove(self, claim: Claim, entry: NewEntry, before: Sequence[NewEntry] = ()) -> None:
        """End a store: its row, claim and revisions go, the timeline stays. Errors: LeaseLost.

        ``entry`` stands for the deletion in the feed; ``before`` are ordinary entries.
        """

        async def work(session: Session) -> None:
            await session.queue_up()
            await hold(session, claim)
            row = await _store(session, claim)
            about, first = Subject.of(row), await session.number(len(before) + 1)
            await write_entries(session, about, before, first)
            await write_entries(session, about, [entry], first + len(before), deleted=True)
            await session.run(delete(stores).where(stores.c.id == claim.store_id))

        await self._engine.write(work)


async def _write(
    session: Session,
    claim: Claim,
    status: Status,
    entries: Sequence[NewEntry],
    attempt: int | None,
) -> Store | None:
    row = await _store(session, claim)
    values = _changes(row, status, attempt)
    count = len(entries) + bool(values)
    if count == 0:
        return None
    first = await session.number(count)
    if values:
        values |= {"updated_at": session.now, "changed_seq": first}
        row = await _update(session, claim, values)
    await write_entries(session, Subject.of(row), entries, first + bool(values))
    return store_of(row) if values else None


def _changes(row: Row, status: Status, attempt: int | None) -> dict[str, object]:
    """Return the columns that a status changes."""
    deleting = row["deleting_since"] is not None and status.phase is not Phase.DELETING
    if deleting or (attempt is not None and attempt != row["attempt"]):
        status = replace(status, phase=Phase(row["phase"]), message=row["message"])
    return {k: v for k, v in status_values(status).items() if row[k] != v}


async def _store(session: Session, claim: Claim) -> Row:
    row = await session.one(select(stores).where(stores.c.id == claim.store_id))
    if row is None:
        raise LeaseLost(f"Store {claim.store_id} is gone")
    return row


async def _update(session: Session, claim: Claim, values: dict[str, object]) -> Row:
    row = await session.one(
        update(stores).where(stores.c.id == claim.store_id).values(**values).returning(stores)
    )
    if row is None:
        raise LeaseLost(f"Store {claim.store_id} is gone")
    return row
