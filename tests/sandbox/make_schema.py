"""Makes ``orchestrator/sandbox/schema.json.gz`` from the published sources of Kubernetes.

Run it with two directories: the module ``k8s.io/kubernetes`` (for ``api/openapi-spec/v3``) and the
folder that holds ``api@…`` and ``apimachinery@…`` of the matching version, for instance in a Go
module cache after ``go mod download k8s.io/kubernetes@v1.36.3``:

    python tests/sandbox/make_schema.py ~/go/pkg/mod/k8s.io/kubernetes@v1.36.3 \
        ~/go/pkg/mod/k8s.io v0.36.3

Two things are taken: the OpenAPI definitions of the sandbox's kinds without their prose, and what
the Go types say about each field that OpenAPI does not (pointer, omitempty, protobuf number).
Kubernetes is licensed under Apache-2.0.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path
from typing import Any

from orchestrator.sandbox.resources import RESOURCES

Json = dict[str, Any]

EXTRA = (
    "io.k8s.api.authorization.v1.SelfSubjectAccessReview",
    "io.k8s.api.autoscaling.v1.Scale",
    "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Status",
)
REFERENCE = "#/components/schemas/"
DROPPED = {"description", "x-kubernetes-unions", "title"}
FIELD = re.compile(r"^\s*(?:(\w+)\s+)?(\S+)\s+`(.*json:.*)`", re.MULTILINE)
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)


def published(folder: Path) -> Json:
    """Return every definition of the OpenAPI documents."""
    found: Json = {}
    for path in sorted(folder.glob("*_openapi.json")):
        document = json.loads(path.read_text())
        found |= document.get("components", {}).get("schemas", {})
    return found


def trimmed(schema: Any, *, names: bool = False) -> Any:
    """Return the schema without prose; ``names``: the keys are property names."""
    if isinstance(schema, dict):
        kept = schema if names else {k: v for k, v in schema.items() if k not in DROPPED}
        return {k: trimmed(v, names=k == "properties" and not names) for k, v in kept.items()}
    return [trimmed(item) for item in schema] if isinstance(schema, list) else schema


def references(schema: Any) -> set[str]:
    """Return the definitions that a schema names."""
    if isinstance(schema, dict):
        own = {schema["$ref"].removeprefix(REFERENCE)} if "$ref" in schema else set()
        return own.union(*(references(v) for v in schema.values()))
    return set().union(*(references(v) for v in schema)) if isinstance(schema, list) else set()


def closure(definitions: Json, roots: list[str]) -> Json:
    """Return the roots and everything that they name."""
    found: Json = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = trimmed(definitions[name])
            waiting += references(found[name])
    return dict(sorted(found.items()))


def structs(folder: Path) -> dict[str, list[tuple[str, str, str]]]:
    """Return the fields (name, type, tags) of every struct in a Go package."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for path in sorted(folder.glob("*.go")):
        if not path.name.endswith("_test.go"):
            for name, body in STRUCT.findall(path.read_text()):
                code = "\n".join(
                    line for line in body.splitlines() if "//" not in line.split("`")[0]
                )
                found[name] = FIELD.findall(code)
    return found


def package(definition: str, modules: Path, version: str) -> Path:
    """Return the folder of the Go package that a definition comes from."""
    *path, _ = definition.removeprefix("io.k8s.").split(".")
    return modules / f"{path[0]}@{version}" / "/".join(path[1:])


def go_fields(name: str, known: dict[str, list[tuple[str, str, str]]]) -> Json:
    """Return ``{json name: [Go type, flags, protobuf number, number of the inlined struct]}``.

    Flags: ``p`` pointer, ``o`` omitempty, ``z`` omitzero.
    """
    found: Json = {}
    for _, kind, tags in known.get(name, []):
        label, *options = _tag(tags, "json").split(",")
        number = re.search(r'protobuf:"\w+,(\d+)', tags)
        proto = int(number[1]) if number else 0
        if "inline" in options and not label:
            inner = go_fields(kind.rpartition(".")[2].lstrip("*"), known)
            found |= {k: [*v[:3], proto] for k, v in inner.items()}
        elif label and label != "-":
            flags = "p" * kind.startswith("*")
            flags += "o" * ("omitempty" in options) + "z" * ("omitzero" in options)
            found[label] = [kind.lstrip("*"), flags, proto, 0]
    return found


def _tag(tags: str, name: str) -> str:
    found = re.search(rf'{name}:"([^"]*)"', tags)
    return found[1] if found else ""


def main(kubernetes: Path, modules: Path, version: str) -> None:
    """Write the file."""
    roots = [r.definition for r in RESOURCES] + list(EXTRA)
    schemas = closure(published(kubernetes / "api" / "openapi-spec" / "v3"), roots)
    go: Json = {}
    for name in schemas:
        fields = go_fields(name.rpartition(".")[2], structs(package(name, modules, version)))
        if fields and "properties" in schemas[name]:
            go[name] = fields
            missing = set(schemas[name]["properties"]) - set(fields) - {"apiVersion", "kind"}
            assert not missing, (name, missing)
    body = {"source": kubernetes.name, "schemas": schemas, "go": go}
    text = json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
    target = Path(__file__).parents[2] / "orchestrator" / "sandbox" / "schema.json.gz"
    target.write_bytes(gzip.compress(text, 9, mtime=0))
    print(f"{len(schemas)} definitions, {len(text)} bytes, {target.stat().st_size} compressed")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
