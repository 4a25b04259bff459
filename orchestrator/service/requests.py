"""What people may send about stores: the types that validate it and that the OpenAPI shows.

Why apart from model/spec.py: a request may leave almost everything out. Null means "the default"
everywhere (RFC 7396 for PATCH, and the same reading for POST). Invariant: the JSON Schemas given
here accept exactly what the validators accept, so that the document never promises too much.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

from pydantic import ConfigDict, Field, WithJsonSchema
from typing_extensions import TypeAliasType

from orchestrator.model import codes, spec
from orchestrator.model.kinds import Json
from orchestrator.model.people import Role

_LABEL: Final = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_TOP_LABEL: Final = "[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
_NO_CONTROL: Final = r"[^\u0000-\u001f\u007f-\u009f]"
_VISIBLE: Final = r"[^\s\ufeff\u0000-\u001f\u007f-\u009f]"

ID_SCHEMA: Final[Json] = {
    "type": "string",
    "minLength": 1,
    "maxLength": 40,
    "pattern": "^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$",
    "not": {"pattern": "^(default$|kube-)"},
    "examples": ["acme"],
}
NAME_SCHEMA: Final[Json] = {
    "type": "string",
    "minLength": 1,
    "maxLength": 80,
    "pattern": f"^{_NO_CONTROL}*{_VISIBLE}{_NO_CONTROL}*$",
    "examples": ["Acme Ltd"],
}
DOMAIN_SCHEMA: Final[Json] = {
    "type": "string",
    "maxLength": 253,
    "pattern": rf"^({_LABEL}\.)+{_TOP_LABEL}$",
    "not": {"pattern": r"(^|\.)(localhost|local|internal|svc)$"},
    "examples": ["shop.example.com"],
}
TAG_SCHEMA: Final[Json] = {
    "type": "string",
    "maxLength": 128,
    "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
    "examples": ["6.9-php8.4-apache"],
}
EMAIL_SCHEMA: Final[Json] = {
    "type": "string",
    "minLength": 6,
    "maxLength": spec.LONGEST_EMAIL,
    "pattern": spec.EMAIL_PATTERN,
    "examples": ["owner@example.com"],
}

StoreId = Annotated[spec.StoreId, WithJsonSchema(ID_SCHEMA)]
DisplayName = Annotated[spec.DisplayName, WithJsonSchema(NAME_SCHEMA)]
DomainName = Annotated[spec.DomainName, WithJsonSchema(DOMAIN_SCHEMA)]
ImageTag = Annotated[spec.ImageTag, WithJsonSchema(TAG_SCHEMA)]
Email = Annotated[str, spec.rule(spec.email_problem), WithJsonSchema(EMAIL_SCHEMA)]
# Named, so that the document holds each list once.
Currency = TypeAliasType(
    "Currency",
    Annotated[
        str,
        spec.rule(codes.currency_problem),
        WithJsonSchema({"type": "string", "enum": list(codes.CURRENCIES)}),
    ],
)
Country = TypeAliasType(
    "Country",
    Annotated[
        str,
        spec.rule(codes.country_problem),
        WithJsonSchema({"type": "string", "enum": list(codes.COUNTRIES)}),
    ],
)


class VersionsInput(spec.Model):
    """Image tags; what is left out or null is the service's default."""

    wordpress: ImageTag | None = None
    mysql: ImageTag | None = None


class OptionsInput(spec.Model):
    """What a shop owner chooses; what is left out or null is the default.

    One that is changed later is set in the shop, once; those that are not stay as the owner has
    them. Without WooCommerce (engine ``wordpress``) title and adminEmail alone mean something.
    """

    title: Annotated[DisplayName | None, Field(description="The shop's title; default: name")] = (
        None
    )
    admin_email: Annotated[
        Email | None, Field(description="The administrator's; default: owner@example.com")
    ] = None
    currency: Annotated[
        Currency | None,
        Field(description="How prices are written follows from it and country; default: USD"),
    ] = None
    country: Annotated[
        Country | None,
        Field(description="Where the shop is, with a state where it has some; default: US:CA"),
    ] = None
    demo_products: Annotated[
        bool | None,
        Field(
            description="Three products to begin with; turned off later: in the bin; default: on"
        ),
    ] = None


class CreateStore(spec.Model):
    """A new store. Only a name is needed."""

    id: Annotated[
        StoreId | None, Field(description="Part of the address; made from the name if left out")
    ] = None
    name: DisplayName
    engine: spec.Engine | None = None
    plan: spec.PlanName | None = None
    domain: Annotated[
        DomainName | None, Field(description="The store's own domain; not under the base domain")
    ] = None
    versions: VersionsInput | None = None
    options: OptionsInput | None = None


class PatchStore(spec.Model):
    """A JSON merge patch (RFC 7396): members merge, null goes back to the default."""

    FIXED: ClassVar = frozenset(("id", "engine", "owner", "generation", "phase", "namespace"))

    name: DisplayName = Field(default_factory=str)
    plan: spec.PlanName | None = None
    domain: DomainName | None = None
    versions: VersionsInput | None = None
    options: OptionsInput | None = None


class SignIn(spec.Model):
    """A token, or the one-time code of a log-in link: one of the two."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["token"]}, {"required": ["code"]}]}
    )

    token: Annotated[str, Field(min_length=1, max_length=512, description="An API token")] = ""
    code: Annotated[
        str, Field(min_length=1, max_length=512, description="The code of a log-in link")
    ] = ""


class CreateUser(spec.Model):
    """A new person (or machine) with a role."""

    name: DisplayName
    role: Annotated[Role, Field(strict=False)]


class CreateToken(spec.Model):
    """A new token for a user; its text is shown once."""

    user: DisplayName
    name: Annotated[DisplayName, Field(description="What the token is for")]


def merged(target: Any, patch: Any) -> Any:
    """Return ``target`` after the JSON merge patch ``patch`` (RFC 7396, section 2)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def sent(request: spec.Model) -> Json:
    """Return the members that were sent, as JSON."""
    return request.model_dump(mode="json", by_alias=True, exclude_unset=True)


def complete(draft: Json, versions: spec.Versions) -> spec.StoreSpec:
    """Return the whole spec of a draft (no nulls) with every default filled in."""
    members = {k: draft[k] for k in ("name", "engine", "plan", "domain") if k in draft}
    options = {"title": draft["name"], **draft.get("options", {})}
    tags = {**versions.to_json(), **draft.get("versions", {})}
    return spec.StoreSpec.model_validate({**members, "versions": tags, "options": options})


def image_tag(reference: str) -> str:
    """Return the tag of an image reference (``host:5000/wordpress:6.9@sha256:…`` → ``6.9``)."""
    _, _, tag = reference.partition("@")[0].rpartition("/")[2].partition(":")
    return tag or "latest"


def changed_fields(old: spec.StoreSpec, new: spec.StoreSpec) -> tuple[str, ...]:
    """Return the dotted paths in which two specs differ."""
    return tuple(_differences(old.to_json(), new.to_json(), ""))


def _differences(old: Json, new: Json, prefix: str) -> list[str]:
    found: list[str] = []
    for key in old:
        if isinstance(old[key], dict):
            found += _differences(old[key], new[key], f"{prefix}{key}.")
        elif old[key] != new[key]:
            found.append(prefix + key)
    return found
