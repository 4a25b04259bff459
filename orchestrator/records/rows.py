"""Rows to model and back.

Invariant: what was stored can always be read. A spec that broke a rule made since is returned as it
is, unchecked, and said so in the log: one old row must not hide all others.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from pydantic import ValidationError

from orchestrator.model.inventory import Inventory
from orchestrator.model.kinds import Json
from orchestrator.model.people import Role, Token, User
from orchestrator.model.spec import Options, StoreSpec, Versions
from orchestrator.model.store import (
    Condition,
    Outcome,
    Phase,
    Progress,
    Revision,
    Status,
    Store,
    Trigger,
)
from orchestrator.model.timeline import (
    EntryType,
    NewEntry,
    ObjectEvent,
    Severity,
    TimelineEntry,
)
from orchestrator.telemetry import get_logger

log = get_logger(__name__)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
LARGEST: Final = 2**63 - 1
"""The largest number that a column holds."""

Row = Mapping[str, Any]


def micros(moment: datetime) -> int:
    """Return a moment as microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def micros_or_none(moment: datetime | None) -> int | None:
    """Return a moment as microseconds since 1970, or None."""
    return None if moment is None else micros(moment)


def moment(value: int) -> datetime:
    """Return the moment of so many microseconds since 1970."""
    return _EPOCH + value * _MICROSECOND


def moment_or_none(value: int | None) -> datetime | None:
    """Return the moment of so many microseconds since 1970, or None."""
    return None if value is None else moment(value)


def dumped(value: Any) -> str:
    """Return JSON in ASCII: any text survives in any database, a NUL too."""
    return json.dumps(value, separators=(",", ":"))


def clean(text: str) -> str:
    """Return text without what PostgreSQL cannot hold: NUL and lone surrogates."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def folded(text: str) -> str:
    """Return text as lists search and sort it: without case, composed in one way."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def spec_values(store_id: str, spec: StoreSpec) -> dict[str, Any]:
    """Return the columns of a store that follow from its spec."""
    name, domain = folded(spec.name), spec.domain
    return {
        "spec": dumped(spec.to_json()),
        "name_key": name,
        "domain": domain,
        "search": "\n".join((store_id, name, domain or "")),
    }


def status_values(status: Status) -> dict[str, Any]:
    """Return the columns of a store's status."""
    return {
        "phase": str(status.phase),
        "message": clean(status.message),
        "conditions": dumped([_condition_json(c) for c in status.conditions]),
        "progress_done": status.progress.done,
        "progress_total": status.progress.total,
        "observed_generation": status.observed_generation,
        "revision": status.revision,
        "ready_at": micros_or_none(status.ready_at),
    }


def _condition_json(condition: Condition) -> Json:
    return {
        "type": condition.type,
        "status": condition.status,
        "reason": clean(condition.reason),
        "message": clean(condition.message),
        "at": micros(condition.last_transition_time),
        "generation": condition.observed_generation,
    }


def _condition(data: Json) -> Condition:
    return Condition(
        type=data["type"],
        status=data["status"],
        reason=data["reason"],
        message=data["message"],
        last_transition_time=moment(data["at"]),
        observed_generation=data["generation"],
    )


def entry_values(entry: NewEntry) -> dict[str, Any]:
    """Return the columns of a timeline row that an entry brings."""
    return {
        "type": str(entry.type),
        "severity": str(entry.severity),
        "reason": clean(entry.reason),
        "message": clean(entry.message),
        "object": None if entry.object is None else clean(entry.object),
    }


def store_of(row: Row) -> Store:
    """Return the store of a row."""
    return Store(
        id=row["id"],
        uid=row["uid"],
        owner=row["owner"],
        spec=_spec(f"store {row['id']}", row["spec"]),
        generation=row["generation"],
        attempt=row["attempt"],
        status=_status(row),
        created_at=moment(row["created_at"]),
        updated_at=moment(row["updated_at"]),
        deleting_since=moment_or_none(row["deleting_since"]),
    )


def _status(row: Row) -> Status:
    return Status(
        phase=Phase(row["phase"]),
        message=row["message"],
        conditions=tuple(_condition(c) for c in json.loads(row["conditions"])),
        progress=Progress(row["progress_done"], row["progress_total"]),
        observed_generation=row["observed_generation"],
        revision=row["revision"],
        ready_at=moment_or_none(row["ready_at"]),
    )


def revision_of(row: Row) -> Revision:
    """Return the revision of a row."""
    evidence = row["evidence"]
    return Revision(
        number=row["number"],
        generation=row["generation"],
        attempt=row["attempt"],
        trigger=Trigger(row["trigger"]),
        spec=_spec(f"store {row['store_id']}, revision {row['number']}", row["spec"]),
        template_digest=row["template_digest"],
        inventory=Inventory.from_json(json.loads(row["inventory"])),
        outcome=Outcome(row["outcome"]),
        message=row["message"],
        created_at=moment(row["created_at"]),
        applied_at=moment_or_none(row["applied_at"]),
        ready_at=moment_or_none(row["ready_at"]),
        elapsed=row["elapsed"],
        ticked_at=moment_or_none(row["ticked_at"]),
        evidence=None if evidence is None else json.loads(evidence),
    )


def revision_values(before: Revision, after: Revision) -> dict[str, Any]:
    """Return the columns, of those that may change, in which ``after`` differs from ``before``."""
    pairs = {name: (getattr(before, name), getattr(after, name)) for name in _CHANGEABLE}
    return {name: _CHANGEABLE[name](new) for name, (old, new) in pairs.items() if new != old}


_CHANGEABLE: Final[Mapping[str, Callable[[Any], Any]]] = {
    "inventory": lambda inventory: dumped(inventory.to_json()),
    "outcome": str,
    "message": clean,
    "applied_at": micros_or_none,
    "ready_at": micros_or_none,
    "elapsed": float,
    "ticked_at": micros_or_none,
    "evidence": lambda evidence: None if evidence is None else dumped(evidence),
}


def event_of(row: Row) -> ObjectEvent:
    """Return the event of an object of a row."""
    return ObjectEvent(
        time=moment(row["time"]),
        type=EntryType(row["type"]),
        severity=Severity(row["severity"]),
        reason=row["reason"],
        message=row["message"],
        count=row["count"],
    )


def entry_of(row: Row) -> TimelineEntry:
    """Return the timeline entry of a row."""
    return TimelineEntry(
        seq=row["seq"],
        store_id=row["store_id"],
        owner=row["owner"],
        time=moment(row["time"]),
        type=EntryType(row["type"]),
        severity=Severity(row["severity"]),
        reason=row["reason"],
        message=row["message"],
        object=row["object"],
        deleted=bool(row["deleted"]),
    )


def user_of(row: Row) -> User:
    """Return the user of a row."""
    return User(row["name"], Role(row["role"]), moment(row["created_at"]))


def token_of(row: Row) -> Token:
    """Return the token of a row, without its hash."""
    return Token(
        id=row["id"],
        user=row["user"],
        name=row["name"],
        created_at=moment(row["created_at"]),
        last_used_at=moment_or_none(row["last_used_at"]),
    )


def _spec(where: str, text: str) -> StoreSpec:
    data = json.loads(text)
    try:
        return StoreSpec.model_validate(data)
    except ValidationError as exc:
        _say_once(where, "; ".join(f"{_path(e['loc'])}: {e['msg']}" for e in exc.errors()))
        return _unchecked(data)


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location))


@lru_cache(maxsize=1000)
def _say_once(where: str, problem: str) -> None:
    log.warning("a stored spec breaks a rule made since", where=where, problem=problem)


def _unchecked(data: Json) -> StoreSpec:
    """Build a spec out of whatever is there; fields that are unknown by now are left out."""
    options, versions = data.get("options") or {}, data.get("versions") or {}
    name = data.get("name", "")
    return StoreSpec.model_construct(
        **_known(StoreSpec, {**data, "name": name}, skip=("options", "versions")),
        options=Options.model_construct(**{"title": name, **_known(Options, options)}),
        versions=Versions.model_construct(
            **{"wordpress": "", "mysql": "", **_known(Versions, versions)}
        ),
    )


def _known(
    model: type[StoreSpec | Options | Versions], data: Json, skip: tuple[str, ...] = ()
) -> Json:
    """Return the members of ``data`` (camelCase) that ``model`` has, by its own names."""
    fields = {field.alias or name: name for name, field in model.model_fields.items()}
    return {fields[k]: v for k, v in data.items() if k in fields and fields[k] not in skip}
