"""What a revision applied: written before anything is sent, so that nothing is ever orphaned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestrator.model.kinds import ObjectRef


@dataclass(frozen=True)
class InventoryItem:
    """One object: ``rendered`` digests what we send, ``live`` our fields as the server holds them.

    ``live`` is empty until the object was applied once.
    """

    ref: ObjectRef
    rendered: str
    live: str = ""


@dataclass(frozen=True)
class Inventory:
    """The objects of one revision, in apply order."""

    items: tuple[InventoryItem, ...] = ()

    def get(self, ref: ObjectRef) -> InventoryItem | None:
        """Return the entry for ``ref``, or None."""
        return next((item for item in self.items if item.ref == ref), None)

    @property
    def refs(self) -> tuple[ObjectRef, ...]:
        """The identities, in order."""
        return tuple(item.ref for item in self.items)

    def merged(self, older: Inventory) -> Inventory:
        """Return this inventory plus what only ``older`` holds (not yet pruned)."""
        mine = set(self.refs)
        return Inventory(self.items + tuple(i for i in older.items if i.ref not in mine))

    def to_json(self) -> list[dict[str, str]]:
        """Return the stored form: kind, namespace, name, rendered, live."""
        return [
            {
                "kind": i.ref.kind,
                "namespace": i.ref.namespace,
                "name": i.ref.name,
                "rendered": i.rendered,
                "live": i.live,
            }
            for i in self.items
        ]

    @classmethod
    def from_json(cls, data: list[dict[str, Any]]) -> Inventory:
        """Read the stored form."""
        return cls(
            tuple(
                InventoryItem(
                    ObjectRef(d["kind"], d["namespace"], d["name"]), d["rendered"], d["live"]
                )
                for d in data
            )
        )
