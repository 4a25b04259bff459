"""Brings rendered objects into the cluster by server-side apply, and takes out what is not wanted.

Invariants: only what a template says is sent; an object whose rendered digest and whose live fields
of ours are unchanged is not sent at all (re-applying in bulk has overloaded API servers); objects
that Helm manages and namespaces that are not the store's are never touched; claims and the
Namespace are never pruned; a delete names the uid that was seen. No state: inventory and live
objects come and go as values.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeVar

from orchestrator.applier.namespaces import Mark, NamespaceState, hold_ups
from orchestrator.applier.ownership import digest, foreign_changes, live_digest, missing
from orchestrator.cluster import Cluster
from orchestrator.model.changeset import Action, Change, ChangeSet, FieldConflict
from orchestrator.model.errors import (
    AlreadyExists,
    ApplyConflict,
    ClusterError,
    ClusterForbidden,
    ClusterRejected,
    InvalidObject,
    NamespaceTerminating,
    ObjectHeldByHelm,
    ObjectNotFound,
    PreconditionConflict,
)
from orchestrator.model.inventory import Inventory, InventoryItem
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.model.names import FIELD_MANAGER, MANAGED_BY_LABEL, namespace_of
from orchestrator.telemetry import Metrics

T = TypeVar("T")
WORKLOADS: Final = frozenset({"StatefulSet", "Deployment", "CronJob"})
WAVES: Final[tuple[frozenset[str], ...]] = (
    frozenset({"Namespace"}),
    frozenset(
        {
            "ServiceAccount",
            "Secret",
            "ConfigMap",
            "ResourceQuota",
            "LimitRange",
            "NetworkPolicy",
            "PersistentVolumeClaim",
            "Service",
            "PodDisruptionBudget",
            "Ingress",
        }
    ),
    WORKLOADS,
)
"""What pods need, and what guards them, stands before they can be made; the rest has no order."""
KEPT: Final = frozenset({"PersistentVolumeClaim", "Namespace"})
"""Kinds that are never pruned: one holds the shop's data, the other everything."""


class ConflictPolicy(StrEnum):
    """What to do when another manager holds a field of ours."""

    TAKE_BACK = "take-back"
    STOP = "stop"


@dataclass(frozen=True)
class Applied:
    """What an apply did; ``live`` are the objects as the server returned them (only those sent).

    ``problem`` is the first error if there was one: the rest of its wave was still sent, later
    waves were not. Record the inventory before raising it, or what was done is sent again.
    """

    changes: ChangeSet
    inventory: Inventory
    live: Mapping[ObjectRef, Json] = field(default_factory=dict)
    problem: ClusterError | None = None


@dataclass(frozen=True)
class Drift:
    """An object that is not as we left it: ``kind`` is deleted or changed."""

    ref: ObjectRef
    kind: str
    fields: tuple[str, ...] = ()
    manager: str = ""

    def __str__(self) -> str:
        if self.kind == "deleted":
            return f"{self.ref} was deleted by somebody else"
        fields = ", ".join(self.fields[:5]) or "fields of ours"
        more = f" and {len(self.fields) - 5} more" if len(self.fields) > 5 else ""
        return f"{self.ref} was changed by {self.manager or 'somebody else'}: {fields}{more}"


@dataclass(frozen=True)
class _Sent:
    change: Change
    item: InventoryItem
    live: Json | None = None


class Applier:
    """Applies, prunes, and deletes namespaces."""

    def __init__(self, cluster: Cluster, metrics: Metrics) -> None:
        self._cluster = cluster
        self._metrics = metrics

    def planned(self, objects: Sequence[Json], previous: Inventory) -> Inventory:
        """Return what to record before applying: ``objects``, and what is yet to be pruned."""
        known = {item.ref: item for item in previous.items}
        items = []
        for obj in objects:
            ref, rendered = ObjectRef.of(obj), digest(obj)
            old = known.get(ref)
            live = old.live if old is not None and old.rendered == rendered else ""
            items.append(InventoryItem(ref, rendered, live))
        return Inventory(tuple(items)).merged(previous)

    def drifted(
        self, objects: Sequence[Json], inventory: Inventory, live: Mapping[ObjectRef, Json]
    ) -> list[Drift]:
        """Return what is not as an earlier apply left it, and who changed what."""
        known = {item.ref: item for item in inventory.items}
        found = []
        for obj in objects:
            item = known.get(ObjectRef.of(obj))
            if item is None or not item.live:
                continue
            present = live.get(item.ref)
            if present is None:
                found.append(Drift(item.ref, "deleted"))
            elif live_digest(present) != item.live:
                found.append(_changed(item.ref, obj, present))
        return found

    async def ensure_namespace(self, obj: Json) -> tuple[Change, Json]:
        """Create the namespace, or check that the one that is there is this store's.

        Returns what was done and the live object. Errors: NamespaceNotOurs, NamespaceTerminating.
        """
        ref, mark = ObjectRef.of(obj), Mark.of(obj)
        with contextlib.suppress(AlreadyExists):
            made = await self._cluster.create(mark.manifest(ref.name))
            return self._count(Change(ref, Action.CREATED)), made
        present = await self._cluster.get(ref)
        mark.check(present)
        if present["metadata"].get("deletionTimestamp"):
            raise _terminating(ref.name)
        return Change(ref, Action.UNCHANGED), present

    async def apply(
        self,
        objects: Sequence[Json],
        *,
        inventory: Inventory,
        live: Mapping[ObjectRef, Json],
        policy: ConflictPolicy = ConflictPolicy.TAKE_BACK,
    ) -> Applied:
        """Apply in waves, concurrently inside each; an error ends it after its wave.

        The error is in the result: ApplyConflict (policy ``stop``), ObjectHeldByHelm, InvalidObject
        and others of ClusterError, each naming the object.
        """
        known = {item.ref: item for item in inventory.items}
        done: list[_Sent] = []
        problem: ClusterError | None = None
        for wave in _waves(objects):
            outcomes = await _all([self._tried(obj, known, live, policy) for obj in wave])
            done += [o for o in outcomes if isinstance(o, _Sent)]
            problem = next((o for o in outcomes if isinstance(o, ClusterError)), None)
            if problem is not None:
                break
        items = {sent.item.ref: sent.item for sent in done}
        return Applied(
            ChangeSet(tuple(sent.change for sent in done)),
            Inventory(tuple(items.get(item.ref, item) for item in inventory.items)),
            {sent.item.ref: sent.live for sent in done if sent.live is not None},
            problem,
        )

    async def prune(
        self, keep: Iterable[ObjectRef], inventory: Inventory
    ) -> tuple[ChangeSet, Inventory]:
        """Delete what the inventory holds and ``keep`` lacks; what is not gone stays in it."""
        kept = set(keep)
        extra = [i for i in inventory.items if i.ref not in kept]
        if not extra:
            return ChangeSet(), inventory
        changes = await _all([self._prune_one(item.ref) for item in extra])
        gone = {c.ref for c in changes if c.action is Action.DELETED}
        left = tuple(i for i in inventory.items if i.ref not in gone)
        return ChangeSet(tuple(changes)), Inventory(left)

    async def stop(self, workloads: Sequence[Json]) -> None:
        """Delete workloads as they were seen; their pods go with them."""
        await _all([self._stop_one(workload) for workload in workloads])

    async def _stop_one(self, workload: Json) -> None:
        with contextlib.suppress(ObjectNotFound, PreconditionConflict):
            await self._cluster.delete(ObjectRef.of(workload), uid=workload["metadata"]["uid"])

    async def delete_namespace(self, store_id: str, uid: str) -> NamespaceState:
        """Delete the store's namespace, or say what holds its end up. Errors: NamespaceNotOurs."""
        ref = ObjectRef("Namespace", "", namespace_of(store_id))
        try:
            present = await self._cluster.get(ref)
            Mark(store_id, uid).check(present)
            meta = present["metadata"]
            if not meta.get("deletionTimestamp"):
                await self._cluster.delete(ref, uid=meta["uid"])
                present = await self._cluster.get(ref)
        except ObjectNotFound:
            return NamespaceState(gone=True)
        except PreconditionConflict:
            # Replaced since we looked: the next look says by whom.
            return NamespaceState(gone=False)
        return NamespaceState(gone=False, messages=hold_ups(present))

    async def _tried(
        self,
        obj: Json,
        known: Mapping[ObjectRef, InventoryItem],
        live: Mapping[ObjectRef, Json],
        policy: ConflictPolicy,
    ) -> _Sent | ClusterError:
        try:
            return await self._one(obj, known, live, policy)
        except ClusterError as exc:
            return exc

    async def _one(
        self,
        obj: Json,
        known: Mapping[ObjectRef, InventoryItem],
        live: Mapping[ObjectRef, Json],
        policy: ConflictPolicy,
    ) -> _Sent:
        ref, rendered = ObjectRef.of(obj), digest(obj)
        present, item = live.get(ref), known.get(ref)
        if ref.kind == "Namespace":
            present = await self._ours(obj, present)
        if present is not None:
            _refuse_helm(present, ref)
            same = item is not None and item.rendered == rendered and item.live
            if same and item is not None and item.live == live_digest(present):
                return _Sent(self._count(Change(ref, Action.UNCHANGED)), item)
        result, conflicts = await self._send(_pinned(obj, present), policy)
        action = _action(present, result)
        change = self._count(Change(ref, action, conflicts))
        return _Sent(change, InventoryItem(ref, rendered, live_digest(result)), result)

    async def _ours(self, namespace: Json, present: Json | None) -> Json:
        """Return the live namespace, checked: applied blindly, another's would be adopted."""
        if present is None:
            _, present = await self.ensure_namespace(namespace)
        Mark.of(namespace).check(present)
        return present

    async def _send(
        self, obj: Json, policy: ConflictPolicy
    ) -> tuple[Json, tuple[FieldConflict, ...]]:
        try:
            return await self._put(obj), ()
        except ApplyConflict as exc:
            if policy is ConflictPolicy.STOP:
                raise
            conflicts = tuple(
                FieldConflict(c.field, _manager(c.message))
                for c in exc.causes
                if c.reason == "FieldManagerConflict"
            )
        # The watch shows only what carries our label: look before anything is taken by force.
        ref = ObjectRef.of(obj)
        _refuse_helm(await self._cluster.get(ref), ref)
        return await self._put(obj, force=True), conflicts

    async def _put(self, obj: Json, *, force: bool = False) -> Json:
        try:
            return await self._cluster.apply(obj, force=force)
        except ClusterForbidden as exc:
            if any(c.reason == "NamespaceTerminating" for c in exc.causes):
                raise _terminating(obj["metadata"]["namespace"]) from exc
            raise
        except (InvalidObject, PreconditionConflict):
            if obj["kind"] == "Namespace":
                # Its pinned uid may be what failed: another one has the name now.
                Mark.of(obj).check(await self._cluster.get(ObjectRef.of(obj)))
            raise

    async def _prune_one(self, ref: ObjectRef) -> Change:
        if ref.kind in KEPT:
            return Change(ref, Action.SKIPPED, reason=f"a {ref.kind} is never pruned")
        try:
            present = await self._cluster.get(ref)
            reason = _not_to_be_deleted(present)
            if not reason and not await self._cluster.delete(ref, uid=present["metadata"]["uid"]):
                reason = _deletion_waits(present)
        except ObjectNotFound:
            reason = ""
        except ClusterRejected as exc:
            reason = str(exc)
        action = Action.SKIPPED if reason else Action.DELETED
        return self._count(Change(ref, action, reason=reason))

    def _count(self, change: Change) -> Change:
        self._metrics.apply_total.labels(change.ref.kind, change.action.value).inc()
        return change


def _waves(objects: Sequence[Json]) -> list[list[Json]]:
    waves = [[o for o in objects if o["kind"] in kinds] for kinds in WAVES]
    known = frozenset().union(*WAVES)
    waves[-1] += [o for o in objects if o["kind"] not in known]
    return [wave for wave in waves if wave]


async def _all(calls: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Run all at once; an error of one ends the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


def _action(before: Json | None, after: Json) -> Action:
    if before is None:
        return Action.CREATED
    same = before["metadata"].get("resourceVersion") == after["metadata"].get("resourceVersion")
    return Action.UNCHANGED if same else Action.CONFIGURED


def _changed(ref: ObjectRef, sent: Json, live: Json) -> Drift:
    foreign = foreign_changes(sent, live)
    if foreign:
        manager = foreign[0][1]
        return Drift(ref, "changed", tuple(f for f, m in foreign if m == manager), manager)
    return Drift(ref, "changed", tuple(missing(sent, live)))


def _manager(message: str) -> str:
    """Take the manager out of ``conflict with "kubectl" using apps/v1``."""
    parts = message.split('"')
    return parts[1] if len(parts) > 1 else message


def _pinned(obj: Json, present: Json | None) -> Json:
    """Name the uid that was seen, so that a namespace which took its place is never adopted."""
    if obj["kind"] != "Namespace" or present is None:
        return obj
    return {**obj, "metadata": {**obj["metadata"], "uid": present["metadata"]["uid"]}}


def _terminating(namespace: str) -> NamespaceTerminating:
    return NamespaceTerminating(
        f"Namespace/{namespace} is still being deleted; waiting for its end"
    )


def _refuse_helm(present: Json, ref: ObjectRef) -> None:
    if _manager_label(present) == "Helm":
        raise ObjectHeldByHelm(f"{ref} is managed by Helm and is never touched")


def _manager_label(present: Json) -> str:
    labels = present["metadata"].get("labels") or {}
    return str(labels.get(MANAGED_BY_LABEL) or "")


def _not_to_be_deleted(present: Json) -> str:
    """Return why an object that the inventory holds is not (or not again) to be deleted."""
    if _manager_label(present) != FIELD_MANAGER:
        return "it is not managed by Urumi Stores any more"
    return _deletion_waits(present) if present["metadata"].get("deletionTimestamp") else ""


def _deletion_waits(present: Json) -> str:
    finalizers = present["metadata"].get("finalizers") or []
    held = f", held by finalizers: {', '.join(finalizers)}" if finalizers else ""
    return f"it is being deleted{held}"
