"""Use cases about stores: check rights and limits, record the desired state, nothing else.

Invariants: a member who asks for somebody else's store learns no more than that it is not there;
each use case that changes something is one call of records (one transaction, which also wakes the
reconciler); nothing here speaks to the cluster but through the ports.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from orchestrator.model.errors import (
    Conflict,
    FieldError,
    InputError,
    LimitExceeded,
    NamespaceNotOurs,
    NotFound,
    ObjectNotFound,
    PreconditionFailed,
)
from orchestrator.model.health import ObservedObject
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.model.logs import LogLine, LogQuery
from orchestrator.model.names import id_problem, under
from orchestrator.model.overview import ClusterSight, Room
from orchestrator.model.people import Principal
from orchestrator.model.spec import StoreSpec, Versions
from orchestrator.model.store import Revision, Status, Store
from orchestrator.model.timeline import (
    EntryType,
    NewEntry,
    ObjectEvent,
    Severity,
    TimelineEntry,
)
from orchestrator.records import IdempotencyKey, NewStoreRow, Page, Records, StoreQuery
from orchestrator.service.requests import (
    CreateStore,
    PatchStore,
    changed_fields,
    complete,
    image_tag,
    merged,
    sent,
)
from orchestrator.settings import Settings

Clock = Callable[[], datetime]
_ID_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_PATCH_TRIES = 10
ENTRIES_SHOWN = 5


def utcnow() -> datetime:
    """Return the present in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Ports:
    """What the service asks of the cluster.

    ``observe`` returns a store's inventory with its health, ``read_credentials`` user name and
    password out of its Secret; ``read_logs`` and ``follow_logs`` what its containers say; ``look``
    the state of the whole, ``capacity`` what its nodes have for pods (None: not known) and
    ``events`` what Kubernetes tells of a store's objects, which never raise. The others may raise
    ClusterUnreachable, ``read_credentials`` ObjectNotFound and NamespaceNotOurs too.
    """

    observe: Callable[[str], Awaitable[Sequence[ObservedObject]]]
    events: Callable[
        [Store, Sequence[ObjectRef]], Awaitable[Mapping[ObjectRef, Sequence[ObjectEvent]]]
    ]
    read_credentials: Callable[[Store], Awaitable[tuple[str, str]]]
    read_logs: Callable[[Store, LogQuery], Awaitable[Sequence[LogLine]]]
    follow_logs: Callable[[Store, LogQuery], AsyncGenerator[LogLine]]
    look: Callable[[], Awaitable[ClusterSight]]
    capacity: Callable[[], Awaitable[Room | None]]


@dataclass(frozen=True)
class Idempotent:
    """An Idempotency-Key with the digest of the body it came with and how an answer is made."""

    key: str
    digest: str
    answer: Callable[[Store], Json]


@dataclass(frozen=True)
class Created:
    """The outcome of a create: the document to answer with, and whether it is a replay."""

    store_id: str
    answer: Json
    replayed: bool = False


@dataclass(frozen=True)
class Listing:
    """What to list: filters, order (``-createdAt``) and page."""

    limit: int = 50
    cursor: str | None = None
    phase: str | None = None
    q: str | None = None
    sort: str = "createdAt"


@dataclass(frozen=True)
class Resource:
    """An object of the inventory, and the newest of what timeline and cluster say of it."""

    seen: ObservedObject
    events: tuple[ObjectEvent, ...]


@dataclass(frozen=True)
class Stores:
    """All use cases on stores."""

    records: Records
    settings: Settings
    ports: Ports
    clock: Clock = field(default=utcnow)

    async def create(
        self, principal: Principal, request: CreateStore, idempotent: Idempotent
    ) -> Created:
        """Record a new store. ``idempotent.key`` may be empty: then nothing is remembered.

        Errors: Conflict, LimitExceeded, InputError, IdempotencyMismatch.
        """
        key = None
        if idempotent.key:
            key = IdempotencyKey(
                principal.user, idempotent.key, idempotent.digest, idempotent.answer
            )
            earlier = await self.records.idempotency.find(
                principal.user, idempotent.key, idempotent.digest
            )
            if earlier is not None:
                return Created(earlier.store_id, earlier.answer, replayed=True)
        row = self._row(principal, request)
        entry = NewEntry(
            EntryType.SPEC,
            "Created",
            f"{principal.user} created the store ({row.spec.engine}, {row.spec.plan})",
        )
        limit = self.settings.max_stores_per_user
        made = await self.records.stores.create(
            row, entry=entry, limit=limit, idempotency=key, by=principal
        )
        answer = made.answer if made.answer is not None else idempotent.answer(made.store)
        return Created(made.store.id, answer, made.replayed)

    async def dry_run(self, principal: Principal, request: CreateStore) -> Store:
        """Make every check of `create` and return the store that would be; stores nothing."""
        row = self._row(principal, request)
        there = await self.records.stores.exists(row.id)
        if there is not None:
            going = " and in deletion" if there.deleting_since else ""
            raise Conflict(f"The id {row.id!r} is taken{going}", field="id")
        if row.spec.domain and await self.records.stores.domain_taken(row.spec.domain, None):
            raise Conflict(f"Another store has the domain {row.spec.domain}", field="domain")
        most, name = self.settings.max_stores_per_user, "URUMI_MAX_STORES_PER_USER"
        used = await self.records.stores.count_owned(principal.user)
        if most and used >= most:
            raise LimitExceeded(name, f"Stores that you have: {used}; the limit is {most} ({name})")
        now = self.clock()
        return Store(row.id, row.uid, row.owner, row.spec, 1, 1, Status(), now, now)

    async def list(self, principal: Principal, listing: Listing) -> Page[Store]:
        """Return a page of the stores that the caller may see."""
        owner = None if principal.is_admin else principal.user
        return await self.records.stores.list(
            StoreQuery(
                owner=owner,
                phase=listing.phase,
                q=listing.q,
                sort=listing.sort,
                limit=listing.limit,
                cursor=listing.cursor,
            )
        )

    async def get(self, principal: Principal, store_id: str) -> Store:
        """Return one store. Errors: NotFound, also when it is somebody else's."""
        missing = NotFound(f"There is no store {store_id!r}")
        if id_problem(store_id):
            raise NotFound("There is no such store: the id is not one that a store can have")
        store = await self.records.stores.exists(store_id)
        if store is None or not (principal.is_admin or store.owner == principal.user):
            raise missing
        return store

    async def change(
        self,
        principal: Principal,
        store_id: str,
        patch: PatchStore,
        generations: frozenset[int] | None,
    ) -> Store:
        """Merge a patch into the spec. ``generations``: those that If-Match allows, or None.

        Errors: NotFound, InputError, Conflict, PreconditionFailed. A change by somebody else in
        between is merged upon, unless If-Match forbids it.
        """
        for _ in range(_PATCH_TRIES):
            store = await self.get(principal, store_id)
            if generations is not None and store.generation not in generations:
                raise PreconditionFailed(f'Does not name the present ETag, "{store.generation}"')
            try:
                return await self._change_once(principal, store, patch)
            except PreconditionFailed:
                continue
        raise Conflict("The store is being changed by many at once; try again")

    async def delete(self, principal: Principal, store_id: str) -> Store:
        """Ask for a store's end; again is the same. Errors: NotFound."""
        await self.get(principal, store_id)
        entry = NewEntry(EntryType.DELETION, "Requested", f"{principal.user} deleted the store")
        return await self.records.stores.request_delete(store_id, entry, by=principal)

    async def retry(self, principal: Principal, store_id: str) -> Store:
        """Try a failed store again. Errors: NotFound, Conflict when it has not failed."""
        await self.get(principal, store_id)
        entry = NewEntry(EntryType.SPEC, "Retried", f"{principal.user} asked for another attempt")
        return await self.records.stores.request_retry(store_id, entry, by=principal)

    async def revisions(
        self, principal: Principal, store_id: str, limit: int, cursor: str | None
    ) -> Page[Revision]:
        """Return a page of a store's history, newest first."""
        await self.get(principal, store_id)
        return await self.records.revisions.list(store_id, limit=limit, cursor=cursor)

    async def evidence(self, principal: Principal, store_id: str, number: int) -> Json:
        """Return what was seen when revision ``number`` failed. Errors: NotFound."""
        await self.get(principal, store_id)
        revision = await self.records.revisions.get(store_id, number)
        if revision.evidence is None:
            raise NotFound(f"There is no evidence: revision {number} has not failed")
        return revision.evidence

    async def events(
        self, principal: Principal, store_id: str, after: int, limit: int
    ) -> Sequence[TimelineEntry]:
        """Return timeline entries after ``after``, oldest first."""
        await self.get(principal, store_id)
        return await self.records.timeline.list(store_id, after, limit)

    async def resources(self, principal: Principal, store_id: str) -> Sequence[Resource]:
        """Return the inventory with its health and what happened to it lately.

        Errors: NotFound, ClusterUnreachable.
        """
        store = await self.get(principal, store_id)
        seen = await self.ports.observe(store_id)
        written = await self.records.timeline.by_object(store_id, ENTRIES_SHOWN)
        told = await self.ports.events(store, [one.ref for one in seen])
        return [
            Resource(one, _by_time(written.get(str(one.ref), ()), told.get(one.ref, ())))
            for one in seen
        ]

    async def credentials(self, principal: Principal, store_id: str) -> tuple[str, str]:
        """Return user name and password of the WordPress admin; the timeline says who read them.

        Errors: NotFound, ClusterUnreachable.
        """
        store = await self.get(principal, store_id)
        try:
            username, password = await self.ports.read_credentials(store)
        except (ObjectNotFound, NamespaceNotOurs) as exc:
            raise NotFound("The store has no credentials that can be read now") from exc
        await self.records.timeline.append(
            store_id,
            NewEntry(
                EntryType.AUDIT,
                "CredentialsRead",
                f"{principal.user} read the admin credentials",
                Severity.WARNING,
            ),
            by=principal,
        )
        return username, password

    async def logs(self, principal: Principal, store_id: str, query: LogQuery) -> Sequence[LogLine]:
        """Return the last lines of a store's containers. Errors: NotFound, ClusterUnreachable."""
        return await self.ports.read_logs(await self.get(principal, store_id), query)

    async def follow_logs(
        self, principal: Principal, store_id: str, query: LogQuery
    ) -> AsyncGenerator[LogLine]:
        """Return the last lines of a store's containers and all that come. Errors: NotFound."""
        return self.ports.follow_logs(await self.get(principal, store_id), query)

    async def under_host(self, host: str) -> Store | None:
        """Return the store that is served under ``host`` (no port, lower case), or None."""
        prefix, suffix = "store-", "." + self.settings.base_domain
        if host.startswith(prefix) and host.endswith(suffix):
            store_id = host.removeprefix(prefix).removesuffix(suffix)
            return None if id_problem(store_id) else await self.records.stores.exists(store_id)
        page = await self.records.stores.list(StoreQuery(q=host, limit=200))
        return next((s for s in page.items if s.spec.domain == host), None)

    async def counts_by_phase(self) -> dict[str, int]:
        """Return how many stores are in each phase."""
        return {str(p): n for p, n in (await self.records.stores.counts_by_phase()).items()}

    @property
    def default_versions(self) -> Versions:
        """The image tags of stores that name none."""
        return Versions(
            wordpress=image_tag(self.settings.image_wordpress),
            mysql=image_tag(self.settings.image_mysql),
        )

    async def _change_once(self, principal: Principal, store: Store, patch: PatchStore) -> Store:
        draft = merged(store.spec.to_json(), sent(patch))
        spec = complete({k: v for k, v in draft.items() if v is not None}, self.default_versions)
        self._check(spec)
        fields = ", ".join(changed_fields(store.spec, spec))
        entry = NewEntry(EntryType.SPEC, "Changed", f"{principal.user} changed {fields}")
        return await self.records.stores.change_spec(
            store.id, spec, if_generation=store.generation, entry=entry, by=principal
        )

    def _row(self, principal: Principal, request: CreateStore) -> NewStoreRow:
        spec = complete(merged({}, sent(request)), self.default_versions)
        self._check(spec)
        return NewStoreRow(
            id=request.id or invent_id(request.name),
            uid=str(uuid.uuid4()),
            owner=principal.user,
            spec=spec,
        )

    def _check(self, spec: StoreSpec) -> None:
        if spec.domain and under(spec.domain, self.settings.base_domain):
            raise InputError(
                FieldError(
                    "domain",
                    f"must not be at or under {self.settings.base_domain}, "
                    "where every store has its own address already",
                )
            )


def invent_id(name: str) -> str:
    """Return an id made from a name, with a random end so that it is free: ``acme-ltd-x7k2ap``."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:28].strip("-")
    if not slug or id_problem(slug):
        slug = "shop"
    return slug + "-" + "".join(secrets.choice(_ID_LETTERS) for _ in range(6))


def _by_time(*told: Sequence[ObjectEvent]) -> tuple[ObjectEvent, ...]:
    """Merge what each source knows; each has room of its own, or the louder one would be all."""
    return tuple(sorted((e for part in told for e in part), key=lambda e: e.time, reverse=True))
