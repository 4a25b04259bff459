"""What an apply did, in a closed vocabulary (after fluxcd/pkg ssa/changeset.go)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.model.kinds import ObjectRef


class Action(StrEnum):
    """What happened to one object."""

    CREATED = "created"
    CONFIGURED = "configured"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class FieldConflict:
    """A field that another manager held: ``field`` as the API writes it (``.spec.replicas``)."""

    field: str
    manager: str


@dataclass(frozen=True)
class Change:
    """One object's part of a ChangeSet. ``conflicts`` are the fields taken back by force."""

    ref: ObjectRef
    action: Action
    conflicts: tuple[FieldConflict, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class ChangeSet:
    """All changes of one apply, in the order in which they were made."""

    changes: tuple[Change, ...] = field(default=())

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)

    def count(self, action: Action) -> int:
        """Return how many objects saw ``action``."""
        return sum(1 for change in self.changes if change.action is action)

    @property
    def changed(self) -> bool:
        """Whether anything in the cluster is different now."""
        return any(
            c.action in (Action.CREATED, Action.CONFIGURED, Action.DELETED) for c in self.changes
        )

    def __add__(self, other: ChangeSet) -> ChangeSet:
        return ChangeSet(self.changes + other.changes)
