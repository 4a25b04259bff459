"""Use cases: check rights and limits, record desired state, wake the reconciler.

Why: API and tests speak to this room in the language of the product; nothing above it decides
anything, nothing below it knows of users. It keeps no state of its own.
"""

from __future__ import annotations

from orchestrator.records import Records
from orchestrator.service.changes import Change, ChangePage, Changes
from orchestrator.service.overview import Overviews
from orchestrator.service.people import Account, People, hash_token, new_token
from orchestrator.service.stores import (
    Clock,
    Created,
    Idempotent,
    Listing,
    Ports,
    Resource,
    Stores,
    utcnow,
)
from orchestrator.settings import Settings

__all__ = [
    "Account",
    "Change",
    "ChangePage",
    "Changes",
    "Clock",
    "Created",
    "Idempotent",
    "Listing",
    "Overviews",
    "People",
    "Ports",
    "Resource",
    "Service",
    "Stores",
    "hash_token",
    "new_token",
    "utcnow",
]


class Service:
    """The use cases by subject: stores, people, changes (the event feed), the overview."""

    def __init__(
        self, records: Records, settings: Settings, ports: Ports, *, clock: Clock = utcnow
    ) -> None:
        self.stores = Stores(records, settings, ports, clock)
        self.people = People(records, settings)
        self.changes = Changes(records)
        self.overview = Overviews(records, ports.look, ports.capacity)

    async def ensure_admin(self, token: str) -> bool:
        """Make sure that ``admin`` exists and this token is theirs; False if it was revoked."""
        return await self.people.ensure_admin(token)
