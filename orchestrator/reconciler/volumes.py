"""Keeps claims at a size and class that the cluster accepts.

A claim can grow only if its StorageClass allows it, and never shrinks (Kubernetes: "Expanding
Persistent Volumes Claims"). A plan change must not fail because of that, so a live size wins where
it has to; a claim's class never changes at all.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping, Sequence

from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.model.quantities import exact


def fit_claims(
    objects: Sequence[Json], live: Mapping[ObjectRef, Json], *, expandable: bool
) -> list[Json]:
    """Return ``objects`` with each claim's request kept where the cluster would refuse ours."""
    return [
        _fit(obj, live.get(ObjectRef.of(obj)), expandable)
        if obj["kind"] == "PersistentVolumeClaim"
        else obj
        for obj in objects
    ]


def lost_claims(
    objects: Sequence[Json], live: Mapping[ObjectRef, Json], once: Collection[ObjectRef]
) -> list[ObjectRef]:
    """Return the claims that the shop had ``once`` and that are gone or going."""
    refs = [ObjectRef.of(o) for o in objects if o["kind"] == "PersistentVolumeClaim"]
    return [
        ref
        for ref in refs
        if ref in once and (ref not in live or live[ref]["metadata"].get("deletionTimestamp"))
    ]


def kept_sizes(wanted: Sequence[Json], fitted: Sequence[Json]) -> Iterator[tuple[ObjectRef, str]]:
    """Say of each claim that does not get the size that is wanted for it why not."""
    for ours, theirs in zip(wanted, fitted, strict=True):
        asked, kept = _request(ours), _request(theirs)
        if ours["kind"] != "PersistentVolumeClaim" or asked is None or kept is None:
            continue
        ref = ObjectRef.of(ours)
        if exact(asked) > exact(kept):
            yield (
                ref,
                f"{ref} stays at {kept} instead of {asked}: it grows once it is bound, "
                "and where its storage class lets it",
            )
        elif exact(asked) < exact(kept):
            yield ref, f"{ref} stays at {kept} instead of {asked}: a volume never shrinks"


def _fit(claim: Json, live: Json | None, expandable: bool) -> Json:
    if live is None:
        return claim
    fitted = copy.deepcopy(claim)
    storage_class = live.get("spec", {}).get("storageClassName")
    if "storageClassName" in fitted["spec"] and storage_class:
        fitted["spec"]["storageClassName"] = storage_class
    wanted, present = _request(claim), _request(live)
    bound = (live.get("status") or {}).get("phase") == "Bound"
    grows = expandable and bound  # an unbound claim cannot be changed at all
    if present is not None and wanted is not None and not _may_grow(wanted, present, grows):
        fitted["spec"]["resources"]["requests"]["storage"] = present
    return fitted


def _may_grow(wanted: str, present: str, expandable: bool) -> bool:
    return expandable and exact(wanted) > exact(present)


def _request(claim: Json) -> str | None:
    requests = (claim.get("spec", {}).get("resources") or {}).get("requests") or {}
    value = requests.get("storage")
    return str(value) if value is not None else None
