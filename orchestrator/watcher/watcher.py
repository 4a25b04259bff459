"""One list-watch a kind over all stores, indexed by store.

Invariants: only objects that carry our labels and, where namespaced, live in the namespace of the
store that they name are held; a Secret's data never is; objects are replaced, never changed, so a
view may share them; ``on_change`` is called after the cache holds the change, and only when an
object's resourceVersion is a new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Final, Protocol

from orchestrator.model.kinds import KINDS, Json, ObjectRef, ResourceKind
from orchestrator.model.names import ID_LABEL, SELECTOR, namespace_of
from orchestrator.watcher.fields import labels, mapping, meta, name_of, text
from orchestrator.watcher.reflector import Reflector, Selection, Source, Timing
from orchestrator.watcher.view import StoreView

METADATA_ONLY: Final = frozenset(("Secret",))
STORE_KINDS: Final = (
    "Namespace",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "ResourceQuota",
    "LimitRange",
    "NetworkPolicy",
    "PersistentVolumeClaim",
    "Service",
    "EndpointSlice",
    "StatefulSet",
    "Deployment",
    "CronJob",
    "PodDisruptionBudget",
    "Ingress",
    "Pod",
)
CLASS_KINDS: Final = ("IngressClass", "StorageClass")
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


class Labelled(Protocol):
    """One time series of the staleness gauge."""

    def set_function(self, f: Callable[[], float]) -> None:
        """Read the value from ``f`` at each scrape."""


class StalenessGauge(Protocol):
    """The staleness gauge, labelled by kind."""

    def labels(self, *labelvalues: str) -> Labelled:
        """Return the series of one kind."""


class WatchMetrics(Protocol):
    """What the watcher needs of telemetry.Metrics."""

    @property
    def watch_staleness_seconds(self) -> StalenessGauge:
        """Seconds since the last sign of life, by kind."""


class Index:
    """All held objects, by store; the reflectors' sink."""

    def __init__(self, on_change: Callable[[str], None]) -> None:
        self._on_change = on_change
        self._stores: dict[str, dict[ObjectRef, Json]] = {}
        self._owners: dict[str, dict[ObjectRef, str]] = {kind: {} for kind in STORE_KINDS}
        self.classes: dict[str, dict[str, Json]] = {kind: {} for kind in CLASS_KINDS}

    def objects(self, store_id: str) -> dict[ObjectRef, Json]:
        """Return a copy of the store's part (references only)."""
        return dict(self._stores.get(store_id, {}))

    def store_ids(self) -> frozenset[str]:
        """Return the ids of all stores that the cluster holds something of."""
        return frozenset(self._stores)

    def replace(self, kind: str, items: Sequence[Json]) -> None:
        """Take a whole list of a kind; what it lacks was deleted while nobody looked."""
        if kind in self.classes:
            self._replace_classes(kind, items)
            return
        changed: set[str] = set()
        seen: set[ObjectRef] = set()
        for item in items:
            ref = _ref(kind, item)
            if ref is not None:
                seen.add(ref)
                changed |= self._put(ref, item)
        for ref in [ref for ref in self._owners[kind] if ref not in seen]:
            changed |= self._drop(ref)
        self._tell(changed)

    def apply(self, kind: str, event: str, obj: Json) -> None:
        """Take one change of a kind."""
        ref = _ref(kind, obj)
        if ref is None:
            return
        if kind in self.classes:
            self._apply_class(kind, event, obj)
        else:
            self._tell(self._drop(ref) if event == "DELETED" else self._put(ref, obj))

    def _put(self, ref: ObjectRef, obj: Json) -> set[str]:
        """Hold an object; return the stores that it changes (two when it moved)."""
        owner, before = _owner(ref, obj), self._owners[ref.kind].get(ref)
        if owner is None:
            return self._drop(ref)
        held = self._stores.get(owner, {}).get(ref)
        if held is not None and _version(held) == _version(obj):
            return set()
        changed = {owner} if before in (None, owner) else {owner} | self._drop(ref)
        self._owners[ref.kind][ref] = owner
        self._stores.setdefault(owner, {})[ref] = _kept(ref.kind, obj)
        return changed

    def _drop(self, ref: ObjectRef) -> set[str]:
        owner = self._owners[ref.kind].pop(ref, None)
        if owner is None:
            return set()
        objects = self._stores[owner]
        del objects[ref]
        if not objects:
            del self._stores[owner]
        return {owner}

    def _replace_classes(self, kind: str, items: Sequence[Json]) -> None:
        before = self.classes[kind]
        after = {name_of(i): _kept(kind, i) for i in items if _ref(kind, i) is not None}
        self.classes[kind] = after
        if _versions(before) != _versions(after):
            self._tell(self._stores)

    def _apply_class(self, kind: str, event: str, obj: Json) -> None:
        """Change one class by a copy, since views share the mapping."""
        before = self.classes[kind]
        after = {name: c for name, c in before.items() if name != name_of(obj)}
        if event != "DELETED":
            after[name_of(obj)] = _kept(kind, obj)
        self.classes[kind] = after
        if _versions(before) != _versions(after):
            self._tell(self._stores)

    def _tell(self, store_ids: set[str] | dict[str, dict[ObjectRef, Json]]) -> None:
        for store_id in sorted(store_ids):
            self._on_change(store_id)


class Watcher:
    """Everything that the cluster holds of our stores, kept current while ``run`` runs."""

    def __init__(
        self,
        cluster: Source,
        metrics: WatchMetrics,
        *,
        on_change: Callable[[str], None],
        timing: Timing | None = None,
    ) -> None:
        self._timing = timing or Timing()
        self._index = Index(on_change)
        self._reflectors = {
            kind: Reflector(cluster, _selection(KINDS[kind]), self._index, self._timing)
            for kind in (*CLASS_KINDS, *STORE_KINDS)
        }
        for kind, reflector in self._reflectors.items():
            metrics.watch_staleness_seconds.labels(kind).set_function(reflector.staleness)

    async def run(self) -> None:
        """Watch forever; cancel to stop. A cluster that fails is waited for, never given up."""
        async with asyncio.TaskGroup() as group:
            for kind, reflector in self._reflectors.items():
                group.create_task(reflector.run(), name=f"watch {kind}")

    @property
    def synced(self) -> bool:
        """Whether every kind was listed at least once."""
        return all(r.synced.is_set() for r in self._reflectors.values())

    async def wait_synced(self) -> None:
        """Return once every kind was listed."""
        for reflector in self._reflectors.values():
            await reflector.synced.wait()

    @property
    def fresh(self) -> bool:
        """Whether every kind was listed and none has been silent for too long."""
        return all(
            r.synced.is_set() and r.staleness() < self._timing.stale_after
            for r in self._reflectors.values()
        )

    def staleness(self) -> dict[str, float]:
        """Return by kind the seconds since the last sign of life."""
        return {kind: r.staleness() for kind, r in self._reflectors.items()}

    @property
    def away(self) -> bool:
        """Whether the API server does not answer, as against one that refuses."""
        return any(r.away for r in self._reflectors.values())

    def problems(self) -> dict[str, str]:
        """Return by kind why its last attempt failed; kinds that are well are left out."""
        return {kind: r.problem for kind, r in self._reflectors.items() if r.problem}

    def store_ids(self) -> frozenset[str]:
        """Return the ids of all stores that the cluster holds something of."""
        return self._index.store_ids()

    def view(self, store_id: str, events: Sequence[Json] = ()) -> StoreView:
        """Return a snapshot of one store; empty when the cluster holds nothing of it."""
        return StoreView(
            store_id,
            MappingProxyType(self._index.objects(store_id)),
            MappingProxyType(self._index.classes["IngressClass"]),
            MappingProxyType(self._index.classes["StorageClass"]),
            self.fresh,
            tuple(events),
        )


def _selection(kind: ResourceKind) -> Selection:
    selector = None if kind.kind in CLASS_KINDS else SELECTOR
    return Selection(kind, selector, kind.kind in METADATA_ONLY)


def _ref(kind: str, obj: Json) -> ObjectRef | None:
    """Return the identity of a live object, or None for what has no name."""
    name = name_of(mapping(obj))
    namespace = text(meta(mapping(obj)).get("namespace")) if KINDS[kind].namespaced else ""
    return ObjectRef(kind, namespace, name) if name else None


def _owner(ref: ObjectRef, obj: Json) -> str | None:
    """Return the store that the object belongs to: label and namespace have to agree."""
    store_id = text(labels(obj).get(ID_LABEL))
    home = ref.name if ref.kind == "Namespace" else ref.namespace
    return store_id if store_id and home == namespace_of(store_id) else None


def _version(obj: Json) -> str:
    """Return the resourceVersion; uid counts too, for an object that was made anew."""
    return f"{text(meta(obj).get('uid'))}/{text(meta(obj).get('resourceVersion'))}"


def _versions(classes: dict[str, Json]) -> dict[str, str]:
    return {name: _version(obj) for name, obj in classes.items()}


def _kept(kind: str, obj: Json) -> Json:
    """Return what is held: kind and apiVersion filled in (lists omit them), no secret data."""
    named = {**obj, "apiVersion": KINDS[kind].api_version, "kind": kind}
    if kind not in METADATA_ONLY:
        return obj if obj.get("kind") == kind and obj.get("apiVersion") else named
    notes = mapping(meta(obj).get("annotations"))
    bare = {key: value for key, value in notes.items() if key != _LAST_APPLIED}
    return {
        "apiVersion": named["apiVersion"],
        "kind": kind,
        "metadata": {**meta(obj), "annotations": bare},
    }
