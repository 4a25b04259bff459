"""Answers as types: documents are built by them and the OpenAPI is made of them.

Invariant: a store document has exactly the members that the contract shows; timestamps are RFC 3339
in UTC, ending in Z.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

from orchestrator.model.health import HealthStatus
from orchestrator.model.kinds import Json
from orchestrator.model.people import Role, Token, User
from orchestrator.model.plans import ENGINES, PLANS, Plan, Share
from orchestrator.model.spec import Options, StoreSpec, Versions
from orchestrator.model.store import (
    CONDITION_TYPES,
    Condition,
    Outcome,
    Phase,
    Revision,
    Store,
    Trigger,
)
from orchestrator.model.timeline import EntryType, Severity, TimelineEntry
from orchestrator.service import Resource

ItemT = TypeVar("ItemT")


def _zulu(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Time = Annotated[
    datetime,
    PlainSerializer(_zulu, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-23T10:00:00Z"]}),
]


class Document(BaseModel):
    """Base of all answers: camelCase and closed."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True
    )

    def to_json(self) -> Json:
        """Return the JSON form."""
        return self.model_dump(mode="json", by_alias=True)


class Items(Document, Generic[ItemT]):
    """A page of a list; nextCursor is null on the last one."""

    items: list[ItemT]
    next_cursor: str | None


class ConditionDocument(Document):
    """One condition; True is good."""

    type: Literal[
        "Applied", "DatabaseReady", "WordPressReady", "SetupComplete", "RouteReady", "Ready"
    ]
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str
    last_transition_time: Time
    observed_generation: int


class ProgressDocument(Document):
    """Steps done, of how many."""

    done: int
    total: int


class StoreDocument(Document):
    """A store: what is wanted, and how it does."""

    id: str
    name: str
    engine: str
    plan: str
    owner: str
    domain: str | None
    versions: Versions
    options: Options
    phase: Phase
    message: str
    conditions: list[ConditionDocument]
    progress: ProgressDocument
    generation: int
    observed_generation: int
    revision: int
    namespace: str
    url: str
    admin_url: str
    created_at: Time
    updated_at: Time
    ready_at: Annotated[Time | None, Field(description="When the store was first Ready")]


class RevisionDocument(Document):
    """One attempt to bring a spec to Ready."""

    revision: int
    generation: int
    attempt: int
    trigger: Trigger
    outcome: Outcome
    message: str
    spec: StoreSpec
    created_at: Time
    applied_at: Time | None
    ready_at: Time | None
    has_evidence: bool


class EvidenceDocument(BaseModel):
    """What was seen when a revision failed."""

    model_config = ConfigDict(extra="allow")


class EntryDocument(Document):
    """One entry of a timeline; ``seq`` rises over all stores."""

    seq: int
    store: str
    time: Time
    type: EntryType
    severity: Severity
    reason: str
    message: str
    object: str | None


class ObjectEventDocument(Document):
    """What happened to an object, ``count`` times alike; ``time`` is the newest."""

    time: Time
    type: Annotated[
        EntryType | None,
        Field(description="What the timeline's entry is about; null: Kubernetes' own event"),
    ]
    severity: Severity
    reason: str
    message: str
    count: int
    object: Annotated[
        str | None,
        Field(description="The pod, or other object that it made, which this is about"),
    ]


class ResourceDocument(Document):
    """One object of a store's inventory."""

    kind: str
    namespace: str | None
    name: str
    health: HealthStatus
    reason: str
    message: str
    events: Annotated[
        list[ObjectEventDocument],
        Field(
            description="What the timeline says of it, and Kubernetes where the cluster answers in "
            "time, of its pods too; newest first, at most five of the former, ten of the latter"
        ),
    ]


class CredentialsDocument(Document):
    """User name and password of the WordPress admin."""

    username: str
    password: str


class LimitsDocument(Document):
    """The caller's limits; null is none."""

    stores: int | None
    requests: str | None


class UseDocument(Document):
    """What the caller uses of them."""

    stores: int


class MeDocument(Document):
    """Who the caller is. ``sandbox``: the cluster is a simulation, in which nobody can shop."""

    user: str
    role: Role
    token_id: str
    limits: LimitsDocument
    use: UseDocument
    base_domain: Annotated[str, Field(description="Under which stores get their names")]
    sandbox: bool


class ShareDocument(Document):
    """What one workload may use, in Kubernetes quantities."""

    cpu_request: str
    cpu_limit: str
    memory_request: str
    memory_limit: str
    storage: str


class PlanDocument(Document):
    """A size of store."""

    name: str
    summary: str
    wordpress: ShareDocument
    mysql: ShareDocument


class EngineDocument(Document):
    """A kind of store."""

    name: str
    summary: str


class PlansDocument(Document):
    """The plans and engines there are; the first of each is the default."""

    plans: list[PlanDocument]
    engines: list[EngineDocument]


class LoginLinkDocument(Document):
    """A link that signs in whoever opens it first, until it expires."""

    url: str
    expires_at: Time


class UserDocument(Document):
    """A person or a machine that owns stores."""

    name: str
    role: Role
    created_at: Time


class TokenDocument(Document):
    """A token without its text."""

    id: str
    user: str
    name: str
    created_at: Time
    last_used_at: Time | None


class NewTokenDocument(Document):
    """A new token; its text is shown this once."""

    id: str
    token: str


class CheckDocument(Document):
    """One check of readiness."""

    ok: bool
    message: str


class ReadyDocument(Document):
    """Whether the service can do its work."""

    status: Literal["ok", "unavailable"]
    checks: dict[str, CheckDocument]


class HealthDocument(Document):
    """The process answers."""

    status: Literal["ok"]


class StoreItems(Items[StoreDocument]):
    """A page of stores."""


class RevisionItems(Items[RevisionDocument]):
    """A page of a store's history, newest first."""


class EntryItems(Items[EntryDocument]):
    """A page of a timeline, oldest first."""


class ResourceItems(Items[ResourceDocument]):
    """A page of an inventory."""


class UserItems(Items[UserDocument]):
    """A page of users."""


class TokenItems(Items[TokenDocument]):
    """A page of tokens."""


def page(items: Sequence[Document], next_cursor: str | None) -> Json:
    """Return a page of a list as JSON."""
    return {"items": [item.to_json() for item in items], "nextCursor": next_cursor}


def store_document(store: Store, url_of: Callable[[Store], str]) -> StoreDocument:
    """Return a store as people see it."""
    spec, status, url = store.spec, store.status, url_of(store)
    return StoreDocument(
        id=store.id,
        name=spec.name,
        engine=spec.engine,
        plan=spec.plan,
        owner=store.owner,
        domain=spec.domain,
        versions=spec.versions,
        options=spec.options,
        phase=status.phase,
        message=status.message,
        conditions=_conditions(store),
        progress=ProgressDocument(done=status.progress.done, total=status.progress.total),
        generation=store.generation,
        observed_generation=status.observed_generation,
        revision=status.revision,
        namespace=store.namespace,
        url=url,
        admin_url=url.rstrip("/") + "/wp-admin/",
        created_at=store.created_at,
        updated_at=store.updated_at,
        ready_at=status.ready_at,
    )


def _conditions(store: Store) -> list[ConditionDocument]:
    """Every type once, in the contract's order; one that was never observed is Unknown."""
    known = {c.type: c for c in store.status.conditions}
    unknown = "Nothing has been observed yet"
    return [
        _condition(
            known.get(name) or Condition(name, "Unknown", "Pending", unknown, store.created_at, 0)
        )
        for name in CONDITION_TYPES
    ]


def _condition(condition: Condition) -> ConditionDocument:
    members: dict[str, Any] = vars(condition)
    return ConditionDocument(**members)


def revision_document(revision: Revision) -> RevisionDocument:
    """Return a revision without its inventory."""
    return RevisionDocument(
        revision=revision.number,
        generation=revision.generation,
        attempt=revision.attempt,
        trigger=revision.trigger,
        outcome=revision.outcome,
        message=revision.message,
        spec=revision.spec,
        created_at=revision.created_at,
        applied_at=revision.applied_at,
        ready_at=revision.ready_at,
        has_evidence=revision.evidence is not None,
    )


def entry_document(entry: TimelineEntry) -> EntryDocument:
    """Return a timeline entry."""
    return EntryDocument(
        seq=entry.seq,
        store=entry.store_id,
        time=entry.time,
        type=entry.type,
        severity=entry.severity,
        reason=entry.reason,
        message=entry.message,
        object=entry.object,
    )


def resource_document(resource: Resource) -> ResourceDocument:
    """Return an object of the inventory with its health and events."""
    seen = resource.seen
    return ResourceDocument(
        kind=seen.ref.kind,
        namespace=seen.ref.namespace or None,
        name=seen.ref.name,
        health=seen.health.status,
        reason=seen.health.reason,
        message=seen.health.message,
        events=[ObjectEventDocument(**vars(event)) for event in resource.events],
    )


def user_document(user: User) -> UserDocument:
    """Return a user."""
    return UserDocument(name=user.name, role=user.role, created_at=user.created_at)


def token_document(token: Token) -> TokenDocument:
    """Return a token without its text."""
    return TokenDocument(
        id=token.id,
        user=token.user,
        name=token.name,
        created_at=token.created_at,
        last_used_at=token.last_used_at,
    )


def _plan(plan: Plan) -> PlanDocument:
    return PlanDocument(
        name=plan.name,
        summary=plan.summary,
        wordpress=_share(plan.wordpress),
        mysql=_share(plan.mysql),
    )


def _share(share: Share) -> ShareDocument:
    return ShareDocument(**vars(share))


PLANS_DOCUMENT: Final = PlansDocument(
    plans=[_plan(plan) for plan in PLANS.values()],
    engines=[EngineDocument(name=name, summary=text) for name, text in ENGINES.items()],
)
