"""HTTP requests on objects: from a route, a query and a body to a registry call and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import PlainTextResponse, Response, StreamingResponse

from orchestrator.sandbox import errors, negotiation, patches, protobuf, query, views
from orchestrator.sandbox.errors import ApiError, FieldError, bad_request
from orchestrator.sandbox.lists import read_page, refuse_future
from orchestrator.sandbox.logs import read_log
from orchestrator.sandbox.negotiation import View
from orchestrator.sandbox.operation import DeleteOptions, Options
from orchestrator.sandbox.query import Params
from orchestrator.sandbox.registry import Registry
from orchestrator.sandbox.resources import Resource
from orchestrator.sandbox.route import Target
from orchestrator.sandbox.scale import read_scale, with_scale
from orchestrator.sandbox.schema import type_of
from orchestrator.sandbox.selectors import predicate
from orchestrator.sandbox.values import Json, dump
from orchestrator.sandbox.watch import Source, Watch, Watches

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
PATCHES = (JSON_PATCH, MERGE, STRATEGIC, APPLY)
_RETURNS_OBJECT = frozenset(
    ("Pod", "Service", "ServiceAccount", "PersistentVolume", "PersistentVolumeClaim",
     "ResourceQuota", "StorageClass")
)  # fmt: skip
"""Kinds whose delete answers with the object even when it is gone at once."""


@dataclass(frozen=True)
class Request:
    """One HTTP request, read."""

    method: str
    target: Target
    params: Params
    accept: str
    content_type: str
    agent: str
    body: bytes
    warnings: list[str] = field(default_factory=list)

    def options(self, subresource: str = "") -> Options:
        """Return how the write is asked for."""
        kind = {"POST": "CreateOptions", "PUT": "UpdateOptions"}.get(self.method, "PatchOptions")
        return Options(
            query.manager(self.params, self.agent, kind),
            query.dry_run(self.params, kind),
            query.field_validation(self.params, kind),
            query.flag(self.params, "force"),
            subresource,
            self.warnings,
        )


def answer(value: object, status: int = 200, warnings: list[str] | None = None) -> Response:
    """Return a JSON answer with its warnings."""
    found = Response(dump(value), status, media_type=negotiation.JSON)
    for text in warnings or ():
        quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
        found.headers.append("Warning", f'299 - "{quoted}"')
    return found


class Handlers:
    """Serves requests on objects."""

    def __init__(self, registry: Registry, watches: Watches) -> None:
        self._registry = registry
        self._watches = watches

    def serve(self, request: Request) -> Response:
        """Return the answer; refusals included, with their warnings."""
        view, media = negotiation.view_of(request.accept)
        target = request.target
        handler = self._handler(request.method, target)
        try:
            found = handler(request, view)
        except ApiError as error:
            found = answer(error.status(), error.code, request.warnings)
        if media == negotiation.YAML and isinstance(found, Response):
            found.headers["content-type"] = negotiation.YAML  # JSON is YAML
        return found

    def _handler(self, method: str, target: Target) -> Callable[[Request, View], Response]:
        if target.subresource in ("scale", "log"):
            known = {
                ("GET", "scale"): self._get_scale,
                ("PUT", "scale"): self._put_scale,
                ("PATCH", "scale"): self._patch_scale,
                ("GET", "log"): self._log,
            }.get((method, target.subresource))
        elif target.name:
            known = {
                "GET": self._get,
                "PUT": self._put,
                "PATCH": self._patch,
                "DELETE": None if target.subresource else self._delete,
            }.get(method)
        else:
            anywhere = target.namespace is None and target.resource.namespaced
            known = {
                "GET": self._list,
                "POST": None if anywhere else self._post,
                "DELETE": None if anywhere else self._delete_collection,
            }.get(method)
        if known is None:
            raise errors.method_not_allowed()
        return known

    def _shape(self, request: Request, view: View, obj: Json) -> Json:
        include = request.params.get("includeObject", "Metadata")
        return views.one(view, request.target.resource, obj, include)

    def _get(self, request: Request, view: View) -> Response:
        target = request.target
        if query.flag(request.params, "watch") and not target.subresource:
            terms = [request.params.get("fieldSelector", ""), f"metadata.name={target.name}"]
            params = dict(request.params) | {"fieldSelector": ",".join(filter(None, terms))}
            return self._watch(request, view, query.list_query(target.resource, params))
        refuse_future(self._registry.storage, query.version_of(request.params) or 0)
        found = self._registry.find(target.resource, target.namespace, target.name)
        return answer(self._shape(request, view, found))

    def _list(self, request: Request, view: View) -> Response:
        target = request.target
        asked = query.list_query(target.resource, request.params)
        if asked.watch:
            return self._watch(request, view, asked)
        page = read_page(self._registry.storage, target.resource, target.namespace, asked)
        include = request.params.get("includeObject", "Metadata")
        return answer(views.many(view, target.resource, page, include))

    def _watch(self, request: Request, view: View, asked: query.ListQuery) -> Response:
        target = request.target
        include = request.params.get("includeObject", "Metadata")
        render = views.rendering(view, target.resource, include)
        source = Source(self._registry.storage, target.resource, target.namespace, asked, render)
        watch = Watch(source, self._watches)
        return StreamingResponse(watch.lines(), media_type=negotiation.JSON)

    def _read_body(self, request: Request, options: Options) -> Json:
        """Return the object in the body of a create or update, with its kind and namespace."""
        target = request.target
        resource = target.resource
        kind = negotiation.media_type(request.content_type)
        if kind == negotiation.PROTOBUF:
            body = protobuf.read(request.body, resource.definition)
            duplicates: list[str] = []
        else:
            body, duplicates = negotiation.read_object(kind, request.body)
        words = [f'duplicate field "{key}"' for key in duplicates]
        if words and options.validation == "Strict":
            raise bad_request(
                f'{resource.kind} in version "{resource.version}" cannot be handled as a '
                f"{resource.kind}: strict decoding error: {', '.join(words)}"
            )
        if options.validation == "Warn":
            options.warnings.extend(words)
        return _typed(target, body)

    def _post(self, request: Request, view: View) -> Response:
        options = request.options()
        body = self._read_body(request, options)
        made = self._registry.add(request.target.resource, body, options)
        return answer(self._shape(request, view, made), 201, options.warnings)

    def _put(self, request: Request, view: View) -> Response:
        target = request.target
        options = request.options(target.subresource)
        body = self._read_body(request, options)
        _check_name(target, body)
        made, created = self._registry.replace(
            target.resource, target.namespace, target.name, body, options
        )
        shape = self._shape(request, view, made)
        return answer(shape, 201 if created else 200, options.warnings)

    def _patch(self, request: Request, view: View) -> Response:
        target = request.target
        kind = _patch_type(request)
        options = request.options(target.subresource)
        if kind == APPLY:
            return self._apply(request, view, options)
        change = _change(kind, target.resource, request.body)
        made = self._registry.patch(target.resource, target.namespace, target.name, change, options)
        return answer(self._shape(request, view, made), 200, options.warnings)

    def _apply(self, request: Request, view: View, options: Options) -> Response:
        target = request.target
        if not request.params.get("fieldManager"):
            message = "Required value: is required for apply patch"
            wrong = FieldError("fieldManager", message, "FieldValueRequired")
            raise query.invalid_options("PatchOptions", [wrong])
        body = negotiation.read_yaml(request.body)
        if not isinstance(body, dict):
            raise bad_request(f"error decoding YAML: not an object: {type(body).__name__}")
        _check_applied(target, body)
        made, created = self._registry.lay_over(
            target.resource, target.namespace, target.name, body, options
        )
        shape = self._shape(request, view, made)
        return answer(shape, 201 if created else 200, options.warnings)

    def _delete(self, request: Request, view: View) -> Response:
        target = request.target
        options = _delete_options(request)
        done = self._registry.remove(target.resource, target.namespace, target.name, options)
        if done.gone and target.resource.kind not in _RETURNS_OBJECT:
            return answer(_gone(target.resource, done.object))
        return answer(self._shape(request, view, done.object))

    def _delete_collection(self, request: Request, view: View) -> Response:
        target = request.target
        if "deletecollection" not in target.resource.verbs:
            raise errors.method_not_allowed()
        asked = query.list_query(target.resource, request.params)
        options = _delete_options(request)
        test = predicate(asked.labels, asked.fields)
        page = read_page(self._registry.storage, target.resource, target.namespace, asked)
        for obj in page.items:
            if test(obj):
                meta = obj["metadata"]
                self._registry.remove(target.resource, meta.get("namespace"), meta["name"], options)
        return answer(views.many(view, target.resource, page, "Metadata"))

    def _get_scale(self, request: Request, view: View) -> Response:
        target = request.target
        found = self._registry.find(target.resource, target.namespace, target.name)
        return answer(read_scale(found))

    def _put_scale(self, request: Request, view: View) -> Response:
        kind = negotiation.media_type(request.content_type)
        if kind == negotiation.PROTOBUF:
            scale = protobuf.read(request.body, "io.k8s.api.autoscaling.v1.Scale")
        else:
            scale, _ = negotiation.read_object(kind, request.body)
        return self._write_scale(request, lambda old: with_scale(old, scale))

    def _patch_scale(self, request: Request, view: View) -> Response:
        kind = _patch_type(request)
        if kind == APPLY:
            raise errors.unsupported_media_type(PATCHES[:3])
        patch = _read_patch(request.body)

        def change(old: Json) -> Json:
            scale = read_scale(old)
            merge = patches.json_patch if kind == JSON_PATCH else patches.merge_patch
            return with_scale(old, merge(scale, patch))

        return self._write_scale(request, change)

    def _write_scale(self, request: Request, change: Callable[[Json], Json]) -> Response:
        target = request.target
        options = request.options("scale")
        made = self._registry.patch(target.resource, target.namespace, target.name, change, options)
        return answer(read_scale(made), 200, options.warnings)

    def _log(self, request: Request, view: View) -> Response:
        target = request.target
        pod = self._registry.find(target.resource, target.namespace, target.name)
        return PlainTextResponse(read_log(pod, request.params))


def _typed(target: Target, body: Json) -> Json:
    """Return the body with the kind and namespace of the path; raises 400 for others."""
    resource = target.resource
    kind = body.get("kind") or resource.kind
    version = body.get("apiVersion") or resource.api_version
    if (kind, version) != (resource.kind, resource.api_version):
        why = f"converting ({version}.{kind}) to (core.{resource.kind}): unknown conversion"
        raise bad_request(
            f'{kind} in version "{version}" cannot be handled as a {resource.kind}: {why}'
        )
    meta = body.get("metadata") or {}
    if not isinstance(meta, dict):
        raise bad_request(
            f'{resource.kind} in version "{resource.version}" cannot be handled as a '
            f"{resource.kind}: json: cannot unmarshal into Go struct field "
            f"{resource.kind}.metadata of type v1.ObjectMeta"
        )
    meta = dict(meta)
    if resource.namespaced:
        if meta.get("namespace") not in (None, "", target.namespace):
            raise _wrong_namespace()
        meta["namespace"] = target.namespace
    else:
        meta.pop("namespace", None)
    return body | {"apiVersion": version, "kind": kind, "metadata": meta}


def _wrong_namespace() -> ApiError:
    return bad_request(
        "the namespace of the provided object does not match the namespace sent on the request"
    )


def _check_name(target: Target, body: Json) -> None:
    name = body["metadata"].get("name")
    if not name:
        raise bad_request(
            f"the name of the object ({target.name} based on URL) was undeterminable: "
            "name must be provided"
        )
    if name != target.name:
        raise bad_request(
            f"the name of the object ({name}) does not match the name on the URL ({target.name})"
        )


def _check_applied(target: Target, body: Json) -> None:
    resource = target.resource
    version, kind = body.get("apiVersion"), body.get("kind")
    if not kind or not version:
        raise bad_request("Object 'Kind' is missing" if not kind else "apiVersion is missing")
    if (version, kind) != (resource.api_version, resource.kind):
        raise bad_request(f"invalid object type: {version}, Kind={kind}")
    meta = body.get("metadata")
    if not isinstance(meta, dict):
        body["metadata"] = meta = {}
    if meta.get("namespace") not in (None, "", target.namespace):
        raise _wrong_namespace()
    if meta.get("name") not in (None, "", target.name):
        raise bad_request(
            f"the name of the object ({meta['name']}) does not match the name on the URL "
            f"({target.name})"
        )
    meta["name"] = target.name


def _patch_type(request: Request) -> str:
    kind = request.content_type.partition(";")[0].strip().lower()
    if kind not in PATCHES:
        raise errors.unsupported_media_type()
    if kind != APPLY and query.flag(request.params, "force"):
        message = "Forbidden: may not be specified for non-apply patch"
        wrong = FieldError("force", message, "FieldValueForbidden")
        raise query.invalid_options("PatchOptions", [wrong])
    return kind


def _change(kind: str, resource: Resource, body: bytes) -> Callable[[Json], Json]:
    """Return what the patch makes of an object."""
    patch = _read_patch(body)
    if kind != JSON_PATCH and not isinstance(patch, dict):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal array into Go value of type "
            "map[string]interface {}"
        )

    def change(old: Json) -> Json:
        made: Any
        if kind == JSON_PATCH:
            made = patches.json_patch(old, patch)
        elif kind == MERGE:
            made = patches.merge_patch(old, patch)
        else:
            made = patches.strategic_patch(type_of(resource.definition), old, patch)
        if not isinstance(made, dict):
            raise patches.unprocessable()
        _check_kind(resource, made)
        found: Json = made
        if not isinstance(found.get("metadata"), dict):
            found = found | {"metadata": {}}
        return found

    return change


def _read_patch(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise bad_request(f"error decoding patch: {error}") from error


def _check_kind(resource: Resource, made: Json) -> None:
    """Refuse a patch that turns an object into one of another kind."""
    version, kind = made.get("apiVersion"), made.get("kind")
    if (version, kind) != (resource.api_version, resource.kind):
        why = f"converting ({version}.{kind}) to (core.{resource.kind}): unknown conversion"
        raise errors.invalid_patch("", why)


def _delete_options(request: Request) -> DeleteOptions:
    params = request.params
    body: Json = {}
    if request.body:
        kind = negotiation.media_type(request.content_type)
        if kind == negotiation.PROTOBUF:
            body = protobuf.read(request.body, "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions")
        else:
            body, _ = negotiation.read_object(kind, request.body)
        if body.get("kind", "DeleteOptions") != "DeleteOptions":
            raise bad_request(
                f'no kind "{body["kind"]}" is registered for version "{body.get("apiVersion")}" '
                "as the options of a delete"
            )
    given = body.get("preconditions") or {}
    propagation = body.get("propagationPolicy") or params.get("propagationPolicy")
    orphan = body.get("orphanDependents")
    if orphan is None and "orphanDependents" in params:
        orphan = query.flag(params, "orphanDependents")
    if orphan is not None:
        if propagation:
            why = "orphanDependents and deletionPropagation cannot be both set"
            wrong = FieldError("propagationPolicy", f'Invalid value: "{propagation}": {why}')
            raise query.invalid_options("DeleteOptions", [wrong])
        propagation = "Orphan" if orphan else "Background"
    grace = body.get("gracePeriodSeconds")
    if grace is None and params.get("gracePeriodSeconds", "").lstrip("-").isdigit():
        grace = int(params["gracePeriodSeconds"])
    asked = [params, *({"dryRun": text} for text in body.get("dryRun") or ())]
    dry = any([query.dry_run(part, "DeleteOptions") for part in asked])
    return DeleteOptions(given.get("uid"), given.get("resourceVersion"), propagation, grace, dry)


def _gone(resource: Resource, obj: Json) -> Json:
    details: Json = {"name": obj["metadata"]["name"]}
    if resource.group:
        details["group"] = resource.group
    details |= {"kind": resource.plural, "uid": obj["metadata"]["uid"]}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details,
    }
