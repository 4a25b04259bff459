"""``urumi render``: a store's manifests with no cluster and no server, the same bytes each time.

Invariants: stdout holds YAML and nothing else; the input rules are those of the API; the uid, which
the service draws at random, is made from the id here, so that the bytes do not change; a namespace
made from this output is therefore nobody's but the operator's, and the service leaves it alone.
"""

from __future__ import annotations

import os
import sys
import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.exits import note, reported
from orchestrator.cli.options import (
    DomainOption,
    EngineOption,
    IdArgument,
    NameOption,
    PlanOption,
    SetOption,
    store_request,
)
from orchestrator.model.errors import FieldError, InputError
from orchestrator.model.kinds import Json
from orchestrator.model.names import DOMAIN, under

if TYPE_CHECKING:
    from orchestrator.model.spec import StoreSpec
    from orchestrator.settings import Settings


@reported
def render(
    store_id: IdArgument,
    name: NameOption = None,
    engine: EngineOption = None,
    plan: PlanOption = None,
    domain: DomainOption = None,
    env: Annotated[
        str | None, typer.Option("--env", metavar="local|prod", help="Profile to render for.")
    ] = None,
    set_: SetOption = None,
    credentials: Annotated[
        bool,
        typer.Option("--credentials", help="Print a new Secret instead, for kubectl create -f -."),
    ] = False,
) -> None:
    """Print a store's manifests, ready for `kubectl apply --server-side -f -`."""
    from orchestrator.renderer import Renderer, StoreProfile, to_yaml
    from orchestrator.settings import load

    settings = load(os.environ, {"URUMI_ENV": env})
    choices = {"engine": engine, "plan": plan, "domain": domain}
    spec = make_spec(store_request(store_id, name, choices, set_), settings)
    uid = fixed_uid(store_id)
    if credentials:
        _print(to_yaml([_new_secret(store_id, uid, spec)]))
        return
    rendered = Renderer().render(store_id, uid, spec, StoreProfile.of(settings))
    _print(to_yaml(list(rendered.objects)))
    note(
        "the Secret is left out; make it once, after the namespace: "
        f"urumi render {store_id} --credentials | kubectl create -f -"
    )
    note(f"{DOMAIN}/uid is made from the id here; the service draws a random one")


def fixed_uid(store_id: str) -> str:
    """Return the uid of rendered manifests: version 5 of the id in our domain."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{store_id}.{DOMAIN}"))


def make_spec(body: Json, settings: Settings) -> StoreSpec:
    """Return the whole spec of a create request. Errors: InputError."""
    from pydantic import ValidationError

    from orchestrator.model.spec import Versions
    from orchestrator.service.requests import CreateStore, complete, image_tag, sent

    tags = Versions(
        wordpress=image_tag(settings.image_wordpress), mysql=image_tag(settings.image_mysql)
    )
    try:
        spec = complete(sent(CreateStore.model_validate(body)), tags)
    except ValidationError as exc:
        raise InputError(*(_broken(error) for error in exc.errors(include_url=False))) from exc
    if spec.domain is not None and under(spec.domain, settings.base_domain):
        raise InputError(FieldError("domain", f"must not be under {settings.base_domain}"))
    return spec


def _broken(error: Any) -> FieldError:
    text = str(error["msg"]).removeprefix("Value error, ")
    rule = "unknown" if error["type"] == "extra_forbidden" else text[:1].lower() + text[1:]
    return FieldError(".".join(map(str, error["loc"])), rule)


def _new_secret(store_id: str, uid: str, spec: StoreSpec) -> Json:
    from orchestrator.reconciler.credentials import generate
    from orchestrator.renderer import Renderer

    return Renderer().credentials(store_id, uid, spec, generate())


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
