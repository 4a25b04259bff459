"""The shapes of an answer: the object itself, its metadata only, or rows of a Table."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.sandbox import tables
from orchestrator.sandbox.lists import Page
from orchestrator.sandbox.negotiation import View
from orchestrator.sandbox.resources import Resource
from orchestrator.sandbox.values import Json
from orchestrator.sandbox.watch import Render, whole

META = "meta.k8s.io/v1"


def partial(obj: Json) -> Json:
    """Return the metadata of an object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": META, "metadata": obj["metadata"]}


def one(view: View, resource: Resource, obj: Json, include: str) -> Json:
    """Return one object in the shape."""
    if view is View.METADATA:
        return partial(obj)
    if view is View.TABLE:
        meta = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
        return _table(resource, [obj], meta, include)
    return obj


def many(view: View, resource: Resource, page: Page, include: str) -> Json:
    """Return a list in the shape."""
    if view is View.METADATA:
        items = [partial(o) for o in page.items]
        return {
            "kind": "PartialObjectMetadataList",
            "apiVersion": META,
            "metadata": page.metadata,
            "items": items,
        }
    if view is View.TABLE:
        return _table(resource, page.items, page.metadata, include)
    bare = [{k: v for k, v in o.items() if k not in ("kind", "apiVersion")} for o in page.items]
    return {
        "kind": f"{resource.kind}List",
        "apiVersion": resource.api_version,
        "metadata": page.metadata,
        "items": bare,
    }


def _table(resource: Resource, items: list[Json], metadata: Json, include: str) -> Json:
    return {
        "kind": "Table",
        "apiVersion": META,
        "metadata": metadata,
        "columnDefinitions": tables.columns(resource),
        "rows": [_row(resource, obj, include) for obj in items],
    }


def _row(resource: Resource, obj: Json, include: str) -> Json:
    row: Json = {"cells": tables.cells(resource, obj)}
    if include == "Object":
        row["object"] = obj
    elif include != "None":
        row["object"] = partial(obj)
    return row


def rendering(view: View, resource: Resource, include: str) -> Render:
    """Return how a watch renders objects; a Table tells its columns only once."""
    if view is View.METADATA:
        return partial
    return _table_rendering(resource, include) if view is View.TABLE else whole


def _table_rendering(resource: Resource, include: str) -> Callable[[Json], Json]:
    told = False

    def render(obj: Json) -> Json:
        nonlocal told
        table = one(View.TABLE, resource, obj, include)
        if told:
            table["columnDefinitions"] = None
        told = True
        return table

    return render
