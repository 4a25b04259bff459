"""Whose a namespace is, and what holds up its end.

A namespace is the store's when it carries our label, the store's id and the record's uid. Any other
one is never changed and never deleted.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.model.errors import NamespaceNotOurs
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.model.names import FIELD_MANAGER, ID_LABEL, MANAGED_BY_LABEL, UID_ANNOTATION


@dataclass(frozen=True)
class NamespaceState:
    """How a namespace's deletion stands; ``messages`` say what holds it up."""

    gone: bool
    messages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mark:
    """What says whose a namespace is."""

    store_id: str
    uid: str

    @classmethod
    def of(cls, namespace: Json) -> Mark:
        """Return the mark of a rendered namespace."""
        meta = namespace["metadata"]
        return cls(meta["labels"][ID_LABEL], meta["annotations"][UID_ANNOTATION])

    def manifest(self, name: str) -> Json:
        """Return a namespace with just the mark.

        All else is applied: what a create sets could not be unapplied later.
        """
        labels = {MANAGED_BY_LABEL: FIELD_MANAGER, ID_LABEL: self.store_id}
        meta = {"name": name, "labels": labels, "annotations": {UID_ANNOTATION: self.uid}}
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}

    def check(self, namespace: Json) -> None:
        """Raise NamespaceNotOurs unless a live namespace carries this mark."""
        ref = ObjectRef("Namespace", "", namespace["metadata"]["name"])
        meta = namespace["metadata"]
        labels, notes = meta.get("labels") or {}, meta.get("annotations") or {}
        found = (labels.get(MANAGED_BY_LABEL), labels.get(ID_LABEL))
        ours = found == (FIELD_MANAGER, self.store_id)
        if not ours and notes.get(UID_ANNOTATION) == self.uid:
            raise NamespaceNotOurs(
                f"{ref} lost the labels that mark it as this store's: put back "
                f"{MANAGED_BY_LABEL}={FIELD_MANAGER} and {ID_LABEL}={self.store_id}."
            )
        if not ours:
            raise NamespaceNotOurs(
                f"{ref} exists already and was not made for this store by Urumi Stores; "
                "it is never changed."
            )
        if notes.get(UID_ANNOTATION) != self.uid:
            raise NamespaceNotOurs(
                f"{ref} belongs to another installation or a lost record "
                f"(its {UID_ANNOTATION} differs); it is never changed."
            )


def hold_ups(namespace: Json) -> tuple[str, ...]:
    """Return what keeps a namespace that is being deleted, as its conditions say it."""
    conditions = (namespace.get("status") or {}).get("conditions") or []
    told = [str(c.get("message") or c.get("type")) for c in conditions if c.get("status") == "True"]
    own = namespace["metadata"].get("finalizers") or []
    if own:
        told.append(f"The namespace itself has finalizers: {', '.join(own)}")
    return tuple(told)
