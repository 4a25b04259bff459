"""The timeline: what happened to a store, numbered; it is also the event feed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, func, insert, select

from orchestrator.model.errors import NotFound
from orchestrator.model.people import Principal
from orchestrator.model.timeline import NewEntry, ObjectEvent, TimelineEntry
from orchestrator.records.audit import note
from orchestrator.records.rows import LARGEST, Row, entry_of, entry_values, event_of
from orchestrator.records.session import Engine, Session
from orchestrator.records.tables import stores, timeline

RECENT: Final = 1000
"""Entries of a store, newest first, among which the events of its objects are looked for."""


@dataclass(frozen=True)
class Subject:
    """The store that entries are about."""

    id: str
    uid: str
    owner: str

    @classmethod
    def of(cls, row: Row) -> Subject:
        """Return the subject of a store's row."""
        return cls(row["id"], row["uid"], row["owner"])


async def write_entries(
    session: Session,
    about: Subject,
    entries: Sequence[NewEntry],
    first: int,
    *,
    deleted: bool = False,
) -> None:
    """Write entries under the numbers from ``first`` on, which the caller has taken."""
    for seq, entry in enumerate(entries, first):
        await session.run(
            insert(timeline).values(
                seq=seq,
                store_id=about.id,
                store_uid=about.uid,
                owner=about.owner,
                time=session.now,
                deleted=deleted,
                **entry_values(entry),
            )
        )


def _newest_by_object(store_id: str, each: int) -> Select[Any]:
    recent = (
        select(timeline)
        .join(stores, stores.c.uid == timeline.c.store_uid)
        .where(stores.c.id == store_id, timeline.c.object.is_not(None))
        .order_by(timeline.c.seq.desc())
        .limit(RECENT)
        .subquery()
    )
    alike = [recent.c[n] for n in ("object", "type", "severity", "reason", "message")]
    merged = (
        select(
            *alike,
            func.max(recent.c.seq).label("seq"),
            func.max(recent.c.time).label("time"),
            func.count().label("count"),
        )
        .group_by(*alike)
        .subquery()
    )
    place = func.row_number().over(partition_by=merged.c.object, order_by=merged.c.seq.desc())
    ranked = select(merged, place.label("place")).subquery()
    return select(ranked).where(ranked.c.place <= each).order_by(ranked.c.seq.desc())


class Timeline:
    """Reads and adds to the timeline of one store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def list(self, store_id: str, after: int, limit: int) -> list[TimelineEntry]:
        """Return entries with a number above ``after``, oldest first.

        Those of an earlier store of the same id are not among them.
        """
        rows = await self._engine.all(
            select(timeline)
            .join(stores, stores.c.uid == timeline.c.store_uid)
            .where(stores.c.id == store_id, timeline.c.seq > min(after, LARGEST))
            .order_by(timeline.c.seq)
            .limit(limit)
        )
        return [entry_of(row) for row in rows]

    async def by_object(self, store_id: str, each: int) -> Mapping[str, Sequence[ObjectEvent]]:
        """Return the newest ``each`` events of every object, newest first; equal ones are one.

        Only what is recent: of a long timeline the newest entries are looked at.
        """
        rows = await self._engine.all(_newest_by_object(store_id, each))
        found: dict[str, list[ObjectEvent]] = {}
        for row in rows:
            found.setdefault(row["object"], []).append(event_of(row))
        return found

    async def append(self, store_id: str, entry: NewEntry, *, by: Principal | None = None) -> None:
        """Add an entry; ``by`` also puts it into the audit. Errors: NotFound."""

        async def work(session: Session) -> None:
            await session.queue_up()
            row = await session.one(select(stores).where(stores.c.id == store_id))
            if row is None:
                raise NotFound(f"There is no store {store_id!r}")
            await write_entries(session, Subject.of(row), [entry], await session.number())
            await note(session, by, entry.reason, f"store/{store_id}")

        await self._engine.write(work)
