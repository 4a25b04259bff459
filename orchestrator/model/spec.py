"""The desired state of a store, as people send it and as it is stored.

These are the types that validate requests and from which the OpenAPI document is made. JSON is
camelCase; unknown fields are errors.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from orchestrator.model import names

Engine = Literal["woocommerce", "wordpress"]
PlanName = Literal["small", "medium", "large"]

_LOCAL = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
EMAIL_PATTERN = rf"^{_LOCAL}@{_LABEL}(\.{_LABEL})+$"
"""What WordPress' is_email() takes as it is, in ASCII; of some others it takes away characters."""
LONGEST_EMAIL = 100
"""What WordPress has room for: with a longer one the account is never made."""
_EMAIL = re.compile(EMAIL_PATTERN)
_STORED_EMAIL = re.compile(rf"{_LOCAL}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def rule(problem: Any) -> AfterValidator:
    """Return a validator of what ``problem`` says is wrong, worded after "must be"."""

    def check(value: str) -> str:
        broken = problem(value)
        if broken:
            raise ValueError(f"must be {broken}" if not broken.startswith("reserved") else broken)
        return value

    return AfterValidator(check)


def email_problem(value: str) -> str | None:
    """Return what is expected of an administrator's address when ``value`` is none, or None."""
    if 6 <= len(value) <= LONGEST_EMAIL and _EMAIL.fullmatch(value):
        return None
    return "an e-mail address such as owner@example.com"


def _stored_email_problem(value: str) -> str | None:
    if len(value) <= 254 and _STORED_EMAIL.fullmatch(value):
        return None
    return "an e-mail address"


StoreId = Annotated[str, rule(names.id_problem), Field(examples=["acme"])]
DisplayName = Annotated[str, rule(names.name_problem), Field(examples=["Acme Ltd"])]
DomainName = Annotated[str, rule(names.domain_problem), Field(examples=["shop.example.com"])]
ImageTag = Annotated[str, rule(names.tag_problem), Field(examples=["6.9-php8.4-apache"])]
# The shape alone: narrower rules are for what people send, not for what is stored.
Email = Annotated[str, rule(_stored_email_problem), Field(examples=["owner@example.com"])]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["USD"])]
Country = Annotated[str, Field(pattern="^[A-Z]{2}(:[A-Za-z0-9 -]{1,16})?$", examples=["US:CA"])]


class Model(BaseModel):
    """Base of all wire types: camelCase, closed, immutable, strict about types."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        strict=True,
    )

    def to_json(self) -> dict[str, Any]:
        """Return the camelCase JSON form."""
        return self.model_dump(mode="json", by_alias=True)


class Versions(Model):
    """Image tags."""

    wordpress: ImageTag
    mysql: ImageTag


class Options(Model):
    """What a shop owner chooses at creation."""

    title: DisplayName
    admin_email: Email = "owner@example.com"
    currency: Currency = "USD"
    country: Country = "US:CA"
    demo_products: bool = True


class StoreSpec(Model):
    """The whole desired state of a store; every default is filled in."""

    name: DisplayName
    engine: Engine = "woocommerce"
    plan: PlanName = "small"
    domain: DomainName | None = None
    versions: Versions
    options: Options
