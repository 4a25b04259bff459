"""Query parameters, as types that validate them and that the OpenAPI shows."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from starlette.requests import Request

from orchestrator.api.body import safe, validate
from orchestrator.model.errors import FieldError, InputError
from orchestrator.model.logs import MOST_LINES
from orchestrator.model.store import Phase

LARGEST_SEQ: Final = 2**63 - 1
_BEYOND: Final = 10**20
_WHOLE: Final = re.compile(r"-?[0-9]+")


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value):
            raise ValueError("must be a whole number")
        return max(-_BEYOND, min(int(value[:30]), _BEYOND))
    return value


def _truth(value: Any) -> Any:
    if isinstance(value, str):
        if value not in ("true", "false"):
            raise ValueError("must be true or false")
        return value == "true"
    return value


def _searchable(value: str) -> str:
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise ValueError("must not contain control characters")
    return value


Limit = Annotated[
    int, Field(ge=1, le=200, description="Most entries of a page"), BeforeValidator(_whole)
]
Seq = Annotated[int, Field(ge=0, le=LARGEST_SEQ), BeforeValidator(_whole)]
Cursor = Annotated[
    str,
    AfterValidator(_searchable),
    Field(min_length=1, max_length=1000, description="nextCursor of the page before"),
]
Flag = Annotated[bool, BeforeValidator(_truth)]
Sort = Literal[
    "createdAt",
    "-createdAt",
    "name",
    "-name",
    "id",
    "-id",
    "phase",
    "-phase",
    "updatedAt",
    "-updatedAt",
]


class Query(BaseModel):
    """Base of all queries: what is not known is an error, and so is a parameter given twice."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class Paging(Query):
    """A page of a list."""

    limit: Limit = 50
    cursor: Cursor | None = None


class StoreListQuery(Paging):
    """Filters, order and page of the list of stores."""

    phase: Annotated[Phase | None, Field(description="Only stores in this phase")] = None
    q: Annotated[
        str | None,
        Field(max_length=200, description="Part of id, name or domain"),
        AfterValidator(lambda v: v if v is None else _searchable(v)),
        WithJsonSchema(
            {"type": "string", "maxLength": 200, "pattern": r"^[^\u0000-\u001f\u007f]*$"}
        ),
    ] = None
    sort: Annotated[
        Sort,
        Field(description="Order; by updatedAt, a store that changes moves between the pages"),
    ] = "createdAt"


class CreateQuery(Query):
    """How to create."""

    dry_run: Annotated[
        Flag, Field(alias="dryRun", description="Make all checks, store nothing, answer 200")
    ] = False


class EventsQuery(Query):
    """A page of a timeline."""

    limit: Limit = 50
    after: Annotated[Seq | None, Field(description="Only entries with a higher seq")] = None
    cursor: Annotated[Seq | None, Field(description="nextCursor; the same as after")] = None


class LogsQuery(Query):
    """Whose words, how many of them, and whether to go on."""

    component: Annotated[
        Literal["database", "wordpress", "wp-cron"] | None,
        Field(description="One part of the store; all of them without it"),
    ] = None
    tail: Annotated[
        int,
        Field(ge=1, le=MOST_LINES, description="Last lines of each container"),
        BeforeValidator(_whole),
    ] = 100
    previous: Annotated[
        Flag, Field(description="What containers said before their last restart")
    ] = False
    follow: Annotated[
        Literal["0", "1", "true", "false"],
        Field(description="1: server-sent events that go on with what comes"),
    ] = "0"

    @property
    def following(self) -> bool:
        """Whether to go on."""
        return self.follow in ("1", "true")


class StreamQuery(Query):
    """Where a stream goes on; the header Last-Event-ID wins."""

    last_event_id: Annotated[Seq | None, Field(alias="lastEventId")] = None


QueryT = TypeVar("QueryT", bound=Query)


def parse_query(request: Request, model: type[QueryT]) -> QueryT:
    """Return the query. Errors: InputError."""
    pairs = request.query_params.multi_items()
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(FieldError(safe(twice), "must be given only once"))
    return validate(model, values)
