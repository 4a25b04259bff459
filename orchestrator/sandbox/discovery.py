"""What the server says about itself: version, groups and resources, in both forms of discovery."""

from __future__ import annotations

from orchestrator.sandbox.resources import GROUPS, Resource, in_group
from orchestrator.sandbox.values import Json

VERSION: Json = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.3+urumi-sandbox",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": "none",
    "platform": "urumi/sandbox",
}
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
ACCESS_GROUP = "authorization.k8s.io"
_STATUS_VERBS = ["get", "patch", "update"]
_SUBRESOURCE_VERBS = {
    "status": _STATUS_VERBS,
    "scale": _STATUS_VERBS,
    "log": ["get"],
    "finalize": ["update"],
}


def wants_aggregated(accept: str) -> bool:
    """Say whether the client takes aggregated discovery first."""
    first = accept.partition(",")[0]
    return "as=APIGroupDiscoveryList" in first and "v=v2;" in f"{first};"


def core_versions(host: str) -> Json:
    """Return ``/api``."""
    address = [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": address}


def groups() -> Json:
    """Return ``/apis``."""
    items = [_group(name) for name in (*GROUPS, ACCESS_GROUP)]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": items}


def group(name: str) -> Json:
    """Return ``/apis/<group>``."""
    return {"kind": "APIGroup", "apiVersion": "v1"} | _group(name)


def _group(name: str) -> Json:
    version = {"groupVersion": f"{name}/v1", "version": "v1"}
    return {"name": name, "versions": [version], "preferredVersion": version}


def known_group(name: str) -> bool:
    """Say whether the group is served."""
    return name in GROUPS or name == ACCESS_GROUP


def resource_list(name: str) -> Json:
    """Return ``/api/v1`` (no name) or ``/apis/<group>/v1``."""
    items = [entry for resource in in_group(name) for entry in _entries(resource)]
    if name == ACCESS_GROUP:
        items = [
            {
                "name": "selfsubjectaccessreviews",
                "singularName": "selfsubjectaccessreview",
                "namespaced": False,
                "kind": "SelfSubjectAccessReview",
                "verbs": ["create"],
            }
        ]
    items.sort(key=lambda entry: entry["name"])
    version = f"{name}/v1" if name else "v1"
    found: Json = {"kind": "APIResourceList", "groupVersion": version, "resources": items}
    return found | ({"apiVersion": "v1"} if name else {})


def _entries(resource: Resource) -> list[Json]:
    main: Json = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        main["shortNames"] = list(resource.short_names)
    if resource.categories:
        main["categories"] = list(resource.categories)
    return [main, *(_subresource(resource, name) for name in resource.subresources)]


def _subresource(resource: Resource, name: str) -> Json:
    scale = {"group": "autoscaling", "version": "v1"} if name == "scale" else {}
    return {
        "name": f"{resource.plural}/{name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        **scale,
        "kind": "Scale" if name == "scale" else resource.kind,
        "verbs": _SUBRESOURCE_VERBS[name],
    }


def aggregated(core: bool) -> Json:
    """Return aggregated discovery: of the core group, or of all the others."""
    names = [""] if core else [*GROUPS, ACCESS_GROUP]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [_aggregated_group(name) for name in names],
    }


def _aggregated_group(name: str) -> Json:
    found: dict[str, Json] = {}
    for entry in resource_list(name)["resources"]:
        plural, _, sub = entry["name"].partition("/")
        kind = {
            "group": entry.get("group", ""),
            "version": entry.get("version", ""),
            "kind": entry["kind"],
        }
        if sub:
            part = {"subresource": sub, "responseKind": kind, "verbs": entry["verbs"]}
            found[plural].setdefault("subresources", []).append(part)
            continue
        found[plural] = {
            "resource": plural,
            "responseKind": kind,
            "scope": "Namespaced" if entry["namespaced"] else "Cluster",
            "singularResource": entry["singularName"],
            "verbs": entry["verbs"],
        } | {k: entry[k] for k in ("shortNames", "categories") if k in entry}
    version = {"version": "v1", "resources": list(found.values()), "freshness": "Current"}
    return {"metadata": {"name": name} if name else {}, "versions": [version]}
