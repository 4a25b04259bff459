"""Entries of a store's timeline, which is also the event feed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EntryType(StrEnum):
    """What an entry is about."""

    SPEC = "spec"
    APPLY = "apply"
    PRUNE = "prune"
    DRIFT = "drift"
    HEALTH = "health"
    PHASE = "phase"
    REVISION = "revision"
    DELETION = "deletion"
    AUDIT = "audit"


class Severity(StrEnum):
    """How much an entry matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class NewEntry:
    """An entry to be written; ``object`` is an identity (``Deployment/store-a/wordpress``)."""

    type: EntryType
    reason: str
    message: str
    severity: Severity = Severity.INFO
    object: str | None = None


@dataclass(frozen=True)
class ObjectEvent:
    """What happened to one object, ``count`` times alike; ``time`` is the newest.

    ``type`` is that of the timeline's entries, None where Kubernetes itself tells. ``object`` names
    (``Pod/wordpress-0``) what the object made and the event is about; None: the object itself.
    """

    time: datetime
    type: EntryType | None
    severity: Severity
    reason: str
    message: str
    count: int
    object: str | None = None


@dataclass(frozen=True)
class TimelineEntry:
    """A written entry. ``seq`` rises over all stores; ``deleted`` marks the end of a store."""

    seq: int
    store_id: str
    owner: str
    time: datetime
    type: EntryType
    severity: Severity
    reason: str
    message: str
    object: str | None = None
    deleted: bool = False
