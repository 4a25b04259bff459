"""Who did what: written in the transaction of the act, so neither is there without the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from orchestrator.model.people import Principal
from orchestrator.records.cursors import Order, Page, decode, page_of
from orchestrator.records.rows import Row, clean, moment
from orchestrator.records.session import Engine, Session
from orchestrator.records.tables import audit

_ORDER = Order((audit.c.number,), descending=True)


@dataclass(frozen=True)
class AuditRecord:
    """One act. ``target`` is ``store/acme``, ``user/jane`` or ``token/<id>``."""

    number: int
    time: datetime
    user: str
    token_id: str
    action: str
    target: str


async def note(session: Session, by: Principal | None, action: str, target: str) -> None:
    """Write an act of ``by``; nothing when it is nobody's (the service's own)."""
    if by is None:
        return
    await session.run(
        insert(audit).values(
            number=await session.number(),
            time=session.now,
            user=by.user,
            token_id=by.token_id,
            action=action,
            target=clean(target),
        )
    )


class Audit:
    """Reads the audit, newest first."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def list(self, limit: int = 50, cursor: str | None = None) -> Page[AuditRecord]:
        """Return a page of acts. Errors: InputError (the cursor)."""
        after = decode(cursor, _ORDER, "audit")
        rows = await self._engine.all(_ORDER.apply(select(audit), after).limit(limit + 1))
        shown, following = page_of(rows, limit, _ORDER, "audit")
        return Page([_record(row) for row in shown], following)


def _record(row: Row) -> AuditRecord:
    return AuditRecord(
        row["number"],
        moment(row["time"]),
        row["user"],
        row["token_id"],
        row["action"],
        row["target"],
    )
