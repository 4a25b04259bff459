"""What one store looks like in the cluster: a snapshot to judge health by.

Invariants: a view never changes after it was made and holds exactly one store's objects; the
objects in it are shared with the watcher's cache and nobody writes to them. Building one copies
references only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from orchestrator.model.kinds import KINDS, Json, ObjectRef
from orchestrator.model.names import COMPONENT_LABEL, UID_ANNOTATION, namespace_of
from orchestrator.watcher.events import about, time_of
from orchestrator.watcher.fields import labels, mapping, mappings, meta, name_of, text

_SERVICE_LABEL = "kubernetes.io/service-name"


@dataclass(frozen=True)
class StoreView:
    """One store's objects by identity, and the cluster-wide classes they refer to.

    ``fresh`` tells whether the watch may be trusted: every kind was listed and none is silent.
    ``events`` are the namespace's Kubernetes events where somebody fetched them.
    """

    store_id: str
    objects: Mapping[ObjectRef, Json]
    ingress_classes: Mapping[str, Json] = field(default_factory=dict)
    storage_classes: Mapping[str, Json] = field(default_factory=dict)
    fresh: bool = True
    events: Sequence[Json] = ()

    @classmethod
    def of(
        cls,
        store_id: str,
        objects: Iterable[Json],
        *,
        ingress_classes: Iterable[Json] = (),
        storage_classes: Iterable[Json] = (),
        events: Iterable[Json] = (),
        fresh: bool = True,
    ) -> StoreView:
        """Build a view from live objects."""
        return cls(
            store_id,
            MappingProxyType({ObjectRef.of(obj): obj for obj in objects}),
            {name_of(c): c for c in ingress_classes},
            {name_of(c): c for c in storage_classes},
            fresh,
            tuple(events),
        )

    @property
    def namespace(self) -> str:
        """The store's namespace."""
        return namespace_of(self.store_id)

    def with_events(self, events: Iterable[Json]) -> StoreView:
        """Return the same view with the namespace's events."""
        return replace(self, events=tuple(events))

    def of_record(self, uid: str) -> StoreView:
        """Return the same view, without objects when the namespace carries another record's uid."""
        namespace = self.get("Namespace", self.namespace)
        if (
            namespace is None
            or mapping(meta(namespace).get("annotations")).get(UID_ANNOTATION) == uid
        ):
            return self
        return replace(self, objects=MappingProxyType({}))

    def with_objects(self, objects: Mapping[ObjectRef, Json]) -> StoreView:
        """Return the same view with objects that are not as the watch shows them."""
        return replace(self, objects=MappingProxyType({**self.objects, **objects}))

    def get(self, kind: str, name: str) -> Json | None:
        """Return the store's object of that kind and name, or None."""
        return self.objects.get(self.ref(kind, name))

    def ref(self, kind: str, name: str) -> ObjectRef:
        """Return the identity that the object has in this store."""
        return ObjectRef(kind, self.namespace if KINDS[kind].namespaced else "", name)

    def by_ref(self, ref: ObjectRef) -> Json | None:
        """Return the object with that identity, classes included, or None."""
        if ref.kind == "IngressClass":
            return self.ingress_class(ref.name)
        if ref.kind == "StorageClass":
            return self.storage_class(ref.name)
        return self.objects.get(ref)

    def of_kind(self, kind: str) -> tuple[Json, ...]:
        """Return all objects of a kind, in no particular order."""
        return tuple(obj for ref, obj in self.objects.items() if ref.kind == kind)

    def pods(self, component: str) -> tuple[Json, ...]:
        """Return a component's pods, newest first, those being deleted after the others."""
        pods = [p for p in self.of_kind("Pod") if labels(p).get(COMPONENT_LABEL) == component]
        pods.sort(key=lambda p: (text(meta(p).get("creationTimestamp")), name_of(p)), reverse=True)
        pods.sort(key=lambda p: bool(meta(p).get("deletionTimestamp")))
        return tuple(pods)

    @property
    def claims(self) -> tuple[Json, ...]:
        """The store's PersistentVolumeClaims, by name."""
        return tuple(sorted(self.of_kind("PersistentVolumeClaim"), key=name_of))

    def endpoint_slices(self, service: str) -> tuple[Json, ...]:
        """Return the EndpointSlices of a Service."""
        slices = self.of_kind("EndpointSlice")
        return tuple(s for s in slices if labels(s).get(_SERVICE_LABEL) == service)

    def ingress_class(self, name: str) -> Json | None:
        """Return the cluster's IngressClass of that name, or None."""
        return self.ingress_classes.get(name)

    def storage_class(self, name: str) -> Json | None:
        """Return the cluster's StorageClass of that name, or None."""
        return self.storage_classes.get(name)

    def events_of(self, kind: str, name: str) -> tuple[Json, ...]:
        """Return the events about one object, newest first."""
        found = [e for e in mappings(list(self.events)) if about(e) == (kind, name)]
        return tuple(sorted(found, key=time_of, reverse=True))
