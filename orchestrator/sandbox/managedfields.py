"""Who owns which field: ``metadata.managedFields`` through updates and server-side applies.

Follows ``k8s.io/apimachinery/pkg/util/managedfields`` and structured-merge-diff's ``merge``. The
sandbox serves one version of each kind, so nothing is converted between versions.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from orchestrator.sandbox import fieldset, typed
from orchestrator.sandbox.decoding import blank
from orchestrator.sandbox.errors import ApiError
from orchestrator.sandbox.fieldset import FieldSet, Path
from orchestrator.sandbox.resources import Resource
from orchestrator.sandbox.schema import Type, type_of
from orchestrator.sandbox.values import Json, dump

MAX_UPDATE_MANAGERS = 10
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_STRIPPED = fieldset.from_paths(
    [("f:apiVersion",), ("f:kind",), ("f:metadata",)]
    + [
        ("f:metadata", f"f:{name}")
        for name in (
            "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName",
            "generation", "managedFields", "resourceVersion",
        )
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Writer:
    """Who writes, and through which subresource."""

    manager: str
    subresource: str = ""


@dataclass(frozen=True)
class _Key:
    """What makes an entry of managedFields the same one."""

    manager: str
    operation: str
    api_version: str
    subresource: str


@dataclass(frozen=True)
class _Entry:
    fields: FieldSet
    api_version: str
    time: str | None


_Entries = dict[_Key, _Entry]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(obj: Json) -> _Entries:
    found: _Entries = {}
    for item in obj.get("metadata", {}).get("managedFields") or ():
        operation, version = item.get("operation", ""), item.get("apiVersion", "")
        if operation not in ("Apply", "Update") or not version or "fieldsV1" not in item:
            return {}
        key = _Key(
            item.get("manager", ""),
            operation,
            "" if operation == "Apply" else version,
            item.get("subresource", ""),
        )
        found[key] = _Entry(item["fieldsV1"], version, item.get("time"))
    return found


def _write(entries: _Entries) -> list[Json]:
    def order(item: tuple[_Key, _Entry]) -> tuple[str, ...]:
        key, entry = item
        return (key.operation, entry.time or "", key.manager, entry.api_version, key.subresource)

    return [_item(key, entry) for key, entry in sorted(entries.items(), key=order)]


def _item(key: _Key, entry: _Entry) -> Json:
    out: Json = {
        "manager": key.manager,
        "operation": key.operation,
        "apiVersion": entry.api_version,
    }
    if entry.time:
        out["time"] = entry.time
    out |= {"fieldsType": "FieldsV1", "fieldsV1": entry.fields}
    return out | ({"subresource": key.subresource} if key.subresource else {})


def _bare(obj: Json) -> Json:
    meta = {k: v for k, v in obj.get("metadata", {}).items() if k != "managedFields"}
    return obj | {"metadata": meta}


def _with(obj: Json, entries: _Entries) -> Json:
    """Return the object with the entries written into it."""
    out = _bare(obj)
    if entries:
        out["metadata"]["managedFields"] = _write(entries)
    return out


def _ignored(resource: Resource, subresource: str) -> Callable[[FieldSet], FieldSet]:
    """Return the filter for what a write through this path cannot change."""
    paths: list[Path] = []
    if subresource == "status":
        paths = [("f:spec",)]
    elif not subresource and "status" in resource.subresources:
        paths = [("f:status",)]
    return lambda fields: fieldset.without(fields, paths) if paths else fields


def _key(resource: Resource, writer: Writer, operation: str) -> _Key:
    version = "" if operation == "Apply" else resource.api_version
    return _Key(writer.manager or "unknown", operation, version, writer.subresource)


def updated(resource: Resource, live: Json | None, new: Json, writer: Writer) -> Json:
    """Return the new object with the managedFields that an update by the writer leaves."""
    entries = _requested(live, new, writer)
    if live is not None and not entries:
        return _bare(new)
    before = _bare(live) if live is not None else blank(resource)
    entries = _update(resource, before, _bare(new), entries, writer)
    return _with(new, entries)


def _requested(live: Json | None, new: Json, writer: Writer) -> _Entries:
    """Return the entries to start from: clients may write them, or reset them with ``[{}]``."""
    stored = _read(live) if live is not None else {}
    if writer.subresource:
        return stored
    sent = new.get("metadata", {}).get("managedFields")
    if sent is not None and sent in ([], [{}]):
        return {}
    return _read(new) or stored


def _update(
    resource: Resource, live: Json, new: Json, entries: _Entries, writer: Writer
) -> _Entries:
    kind = type_of(resource.definition)
    ignore = _ignored(resource, writer.subresource)
    change = typed.compare(kind, live, new).map(ignore)
    taken = fieldset.union(change.modified, change.added)
    entries = _less(entries, fieldset.union(taken, change.removed))
    mine = fieldset.difference(taken, _STRIPPED)
    key = _key(resource, writer, "Update")
    if mine:
        old = entries.get(key)
        fields = fieldset.union(old.fields, mine) if old else mine
        entries[key] = _Entry(fields, resource.api_version, _now())
    return _capped(entries)


def _less(entries: _Entries, fields: FieldSet) -> _Entries:
    """Return the entries without the fields; those that are left with nothing go."""
    if not fields:
        return dict(entries)
    left = {k: replace(e, fields=fieldset.difference(e.fields, fields)) for k, e in entries.items()}
    return {k: e for k, e in left.items() if e.fields}


def _capped(entries: _Entries) -> _Entries:
    """Return the entries with the oldest updates put together once there are too many."""
    updates = [k for k in entries if k.operation == "Update"]
    if len(updates) <= MAX_UPDATE_MANAGERS:
        return entries
    updates.sort(key=lambda k: (entries[k].time or "", k.manager))
    old = updates[: len(updates) - MAX_UPDATE_MANAGERS + 1]
    bucket = _Key("ancient-changes", "Update", old[0].api_version, "")
    last = entries[old[-1]]
    merged: FieldSet = {}
    for key in old:
        merged = fieldset.union(merged, entries[key].fields)
    kept = {k: e for k, e in entries.items() if k not in old}
    return kept | {bucket: replace(last, fields=merged)}


def same_but_for_times(old: Json, new: Json) -> bool:
    """Say whether nothing differs but the times in managedFields (and the resourceVersion)."""
    if old.keys() != new.keys():
        return False
    if any(old[k] != new[k] for k in old if k != "metadata"):
        return False
    one, two = (
        {k: v for k, v in o["metadata"].items() if k not in ("managedFields", "resourceVersion")}
        for o in (old, new)
    )
    if one != two:
        return False
    mine, theirs = (o["metadata"].get("managedFields") or [] for o in (old, new))
    return _timeless(mine) == _timeless(theirs)


def _timeless(items: list[Json]) -> list[bytes]:
    bare = ({k: v for k, v in item.items() if k != "time"} for item in items)
    return sorted(dump(sorted_fields(item)) for item in bare)


def sorted_fields(value: Any) -> Any:
    """Return a JSON value with every dictionary in key order."""
    if isinstance(value, dict):
        return {k: sorted_fields(value[k]) for k in sorted(value)}
    return value


def applied(
    resource: Resource, live: Json | None, config: Json, writer: Writer, *, force: bool
) -> Json:
    """Return the result of a server-side apply; raises 409 with the conflicts.

    The result holds the values as they were sent: the caller brings them into their stored form.
    """
    kind = type_of(resource.definition)
    entries = _read(live) if live is not None else {}
    before = _bare(live) if live is not None else blank(resource)
    if live is not None and not entries:
        first = Writer("before-first-apply")
        entries = _update(resource, blank(resource), before, {}, first)
    apply = _Apply(resource, kind, writer, before, config)
    new, entries = apply.run(entries, force=force)
    return _last_applied(_with(new, entries), config, writer)


@dataclass
class _Apply:
    resource: Resource
    kind: Type
    writer: Writer
    live: Json
    config: Json

    def run(self, entries: _Entries, *, force: bool) -> tuple[Json, _Entries]:
        """Return the new object and the new entries."""
        key = _key(self.resource, self.writer, "Apply")
        ignore = _ignored(self.resource, self.writer.subresource)
        mine = ignore(typed.fields_of(self.kind, self.config))
        last = entries.get(key)
        new: Json = typed.merge(self.kind, self.live, self.config)
        others = {k: e for k, e in entries.items() if k != key}
        if last is not None and last.fields:
            new = self._prune(new, last.fields, mine, others)
        change = typed.compare(self.kind, self.live, new).map(ignore)
        taken = fieldset.union(change.modified, change.added)
        if taken and not force:
            self._refuse_conflicts(others, taken)
        entries = _less(others, fieldset.union(taken, change.removed))
        mine = fieldset.difference(mine, _STRIPPED)
        if mine:
            old = last.time if last is not None and last.fields == mine else None
            time = old if old and new == self.live else _now()
            entries[key] = _Entry(mine, self.resource.api_version, time)
        return new, entries

    def _prune(self, merged: Json, last: FieldSet, mine: FieldSet, others: _Entries) -> Json:
        """Remove what was applied last time, is not now, and has no other owner."""
        kind = self.kind
        gone = fieldset.with_named(last, kind)
        kept = fieldset.with_named(mine, kind)
        if not fieldset.difference(gone, kept):
            return merged
        pruned = typed.remove(kind, merged, gone)
        owned = mine
        for entry in others.values():
            owned = fieldset.union(owned, entry.fields)
        everything = fieldset.with_named(typed.fields_of(kind, merged), kind)
        left = fieldset.with_named(typed.fields_of(kind, pruned), kind)
        keep = fieldset.union(left, fieldset.with_named(owned, kind))
        pruned = typed.remove(kind, merged, fieldset.difference(everything, keep))
        left = fieldset.with_named(typed.fields_of(kind, pruned), kind)
        dangling = fieldset.intersection(fieldset.difference(everything, left), gone)
        found: Json = typed.remove(kind, merged, dangling)
        return found

    def _refuse_conflicts(self, others: _Entries, taken: FieldSet) -> None:
        found: list[tuple[_Key, _Entry, Path]] = []
        allowed = self._from_last_applied()
        for key, entry in others.items():
            clash = fieldset.intersection(entry.fields, taken)
            for path in fieldset.paths(clash):
                if not (allowed and fieldset.contains(allowed, path)):
                    found.append((key, entry, path))
        if found:
            raise _conflict(found)

    def _from_last_applied(self) -> FieldSet:
        """Return what kubectl itself set by a client-side apply and nobody changed since."""
        notes = self.live.get("metadata", {}).get("annotations") or {}
        if self.writer.manager != "kubectl" or LAST_APPLIED not in notes:
            return {}
        try:
            last = json.loads(notes[LAST_APPLIED])
        except ValueError:
            return {}
        if not isinstance(last, dict) or typed.problems(self.kind, last):
            return {}
        change = typed.compare(self.kind, last, self.live)
        fields = typed.fields_of(self.kind, last)
        for gone in (change.modified, change.added, change.removed):
            fields = fieldset.difference(fields, gone)
        return fields


def _conflict(found: list[tuple[_Key, _Entry, Path]]) -> ApiError:
    def describe(key: _Key, entry: _Entry) -> str:
        said = f'"{key.manager}"'
        if key.subresource:
            said += f' with subresource "{key.subresource}"'
        return f"{said} using {entry.api_version}" if key.operation == "Update" else said

    found.sort(key=lambda item: describe(item[0], item[1]))
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f"conflict with {describe(key, entry)}",
            "field": fieldset.text(path),
        }
        for key, entry, path in found
    ]
    if len(causes) == 1:
        text = f"1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        lines: list[str] = []
        for who in dict.fromkeys(describe(key, entry) for key, entry, _ in found):
            lines.append(f"conflicts with {who}:")
            lines += [f"- {fieldset.text(p)}" for k, e, p in found if describe(k, e) == who]
        text = f"{len(causes)} conflicts: " + "\n".join(lines)
    return ApiError(409, "Conflict", f"Apply failed with {text}", {"causes": causes})


def _last_applied(obj: Json, config: Json, writer: Writer) -> Json:
    """Keep kubectl's client-side annotation in step, as the real server does."""
    notes = obj["metadata"].get("annotations") or {}
    if writer.manager != "kubectl" or not notes.get(LAST_APPLIED):
        return obj
    meta = dict(config.get("metadata", {}))
    own = {k: v for k, v in (meta.get("annotations") or {}).items() if k != LAST_APPLIED}
    meta["annotations"] = own
    text = dump(sorted_fields(config | {"metadata": meta})).decode() + "\n"
    notes = notes | {LAST_APPLIED: text}
    return obj | {"metadata": obj["metadata"] | {"annotations": notes}}
