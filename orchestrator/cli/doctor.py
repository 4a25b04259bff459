"""``urumi doctor``: says what the chosen cluster lacks, without changing anything in it.

A finding is essential when stores cannot be run without it; then the exit code is 1.
"""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from orchestrator.cli.exits import CliError, ExitCode, reported
from orchestrator.cli.output import Format, OutputOption, say, show_json
from orchestrator.model.errors import (
    ClusterError,
    ClusterRejected,
    ClusterUnreachable,
    ObjectNotFound,
)
from orchestrator.model.kinds import KINDS, Json

if TYPE_CHECKING:
    from orchestrator.cluster import Cluster
    from orchestrator.settings import Settings
    from orchestrator.target import ClusterChoice

OLDEST: Final = (1, 35)
DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"
_WRITES: Final = ("get", "list", "watch", "create", "patch", "delete")
_READS: Final = ("get", "list", "watch")
# What the service does without (manifests/platform/20-clusterrole.yaml says why).
_LESS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("Pod", "EndpointSlice", "IngressClass", "StorageClass"), _READS),
    "Event": ("get", "list"),
    "PersistentVolumeClaim": tuple(verb for verb in _WRITES if verb != "delete"),
    "Secret": (*_READS, "create"),
}
_NOT_NEEDED: Final = ("Node",)


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    NOTE = "note"
    LACKS = "lacks"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    subject: str
    message: str


@reported
def doctor(output: OutputOption = Format.TEXT) -> None:
    """Say what the chosen cluster lacks for running stores."""
    from orchestrator.settings import load
    from orchestrator.target import choose

    settings = load(os.environ)
    choice = choose(settings, os.environ)
    findings = asyncio.run(_examine(settings, choice))
    lacks = [f for f in findings if f.level is Level.LACKS]
    if output is Format.JSON:
        items = [{"level": f.level, "subject": f.subject, "message": f.message} for f in findings]
        show_json({"cluster": choice.description, "ok": not lacks, "findings": items})
    else:
        say(f"Cluster: {choice.description}")
        for finding in findings:
            say(f"{finding.level:<6} {finding.subject}: {finding.message}")
    if lacks:
        raise CliError(f"{len(lacks)} essential finding(s), see above", ExitCode.FAILED)


async def _examine(settings: Settings, choice: ClusterChoice) -> list[Finding]:
    from orchestrator.cluster import ClusterTarget, connect

    if choice.kind == "sandbox":
        kubeconfig = settings.data_dir / "sandbox" / "kubeconfig"
        if not kubeconfig.exists():
            return [_sandbox_note("`urumi serve` starts it")]
        target = ClusterTarget("kubeconfig", kubeconfig, None)
    else:
        target = ClusterTarget(choice.kind, choice.kubeconfig, choice.context)
    async with connect(target) as cluster:
        try:
            return await examine(cluster, settings)
        except ClusterUnreachable:
            if choice.kind != "sandbox":
                raise
            return [_sandbox_note("it is not running now; `urumi serve` starts it")]


def _sandbox_note(what: str) -> Finding:
    return Finding(Level.NOTE, "sandbox", f"no cluster is configured, so it is used; {what}")


async def examine(cluster: Cluster, settings: Settings) -> list[Finding]:
    """Return every finding. Errors: ClusterUnreachable when the cluster does not answer."""
    findings = [version_finding(await cluster.version())]
    findings += await _rights(cluster)
    findings.append(ingress_finding(settings.ingress_class, await _listed(cluster, "IngressClass")))
    findings.append(storage_finding(settings.storage_class, await _listed(cluster, "StorageClass")))
    findings.append(nodes_finding(await _listed(cluster, "Node")))
    findings.append(
        Finding(
            Level.NOTE,
            "network policies",
            "whether they are enforced depends on the network plugin and cannot be asked for; "
            "without one that enforces them stores can reach each other",
        )
    )
    return findings


async def _listed(cluster: Cluster, kind: str) -> list[Json] | ClusterError:
    try:
        return list((await cluster.list(KINDS[kind])).items)
    except ClusterRejected as exc:
        return exc


def version_finding(version: str) -> Finding:
    """Judge the server's version (``v1.36.3``)."""
    match = re.match(r"v?(\d+)\.(\d+)", version)
    if match is None:
        return Finding(Level.NOTE, "version", f"{version!r} cannot be read")
    if (int(match[1]), int(match[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return Finding(Level.LACKS, "version", f"{version}; {oldest} or newer is needed")
    return Finding(Level.OK, "version", version)


def ingress_finding(wanted: str, found: list[Json] | ClusterError) -> Finding:
    """Judge whether the ingress class exists."""
    subject = "ingress class"
    if isinstance(found, ClusterError):
        return Finding(Level.LACKS, subject, f"may not be listed: {found}")
    names = sorted(item["metadata"]["name"] for item in found)
    if wanted in names:
        return Finding(Level.OK, subject, wanted)
    there = ", ".join(names) or "none"
    return Finding(
        Level.LACKS, subject, f"{wanted} does not exist (URUMI_INGRESS_CLASS); there are: {there}"
    )


def storage_finding(wanted: str | None, found: list[Json] | ClusterError) -> Finding:
    """Judge whether volumes can be had: the named class, or a default one."""
    subject = "storage class"
    if isinstance(found, ClusterError):
        return Finding(Level.LACKS, subject, f"may not be listed: {found}")
    names = sorted(item["metadata"]["name"] for item in found)
    there = ", ".join(names) or "none"
    if wanted is not None:
        if wanted in names:
            return Finding(Level.OK, subject, wanted)
        message = f"{wanted} does not exist (URUMI_STORAGE_CLASS); there are: {there}"
        return Finding(Level.LACKS, subject, message)
    defaults = [item["metadata"]["name"] for item in found if _is_default(item)]
    if defaults:
        return Finding(Level.OK, subject, f"{defaults[0]} (the default)")
    message = f"no default; set URUMI_STORAGE_CLASS to one of: {there}"
    return Finding(Level.LACKS, subject, message)


def _is_default(item: Json) -> bool:
    annotations = item["metadata"].get("annotations") or {}
    return bool(annotations.get(DEFAULT_CLASS) == "true")


def nodes_finding(found: list[Json] | ClusterError) -> Finding:
    """Judge whether pods can run somewhere. Not being allowed to look is no lack."""
    if isinstance(found, ClusterError):
        return Finding(Level.NOTE, "nodes", f"may not be listed: {found}")
    ready = [n["metadata"]["name"] for n in found if _is_ready(n)]
    if not ready:
        return Finding(Level.LACKS, "nodes", f"none of {len(found)} is Ready: no pod can run")
    return Finding(Level.OK, "nodes", f"{len(ready)} of {len(found)} Ready")


def _is_ready(node: Json) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or []
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


async def _rights(cluster: Cluster) -> list[Finding]:
    """Ask for every right that the service uses; one finding a kind that lacks some."""
    needed = {kind: _LESS.get(kind, _WRITES) for kind in KINDS if kind not in _NOT_NEEDED}
    lacking = []
    for kind, verbs in needed.items():
        try:
            missing = await _missing(cluster, kind, verbs)
        except ObjectNotFound:
            return [Finding(Level.NOTE, "rights", "the cluster has no access reviews to ask")]
        if missing:
            message = f"{', '.join(missing)} on {KINDS[kind].plural}"
            lacking.append(Finding(Level.LACKS, "rights", message))
    return lacking or [Finding(Level.OK, "rights", f"all that are needed on {len(needed)} kinds")]


async def _missing(cluster: Cluster, kind: str, verbs: tuple[str, ...]) -> list[str]:
    resource = KINDS[kind]
    group = resource.api_version.rpartition("/")[0]
    answers = await asyncio.gather(
        *(cluster.review_access(verb, group, resource.plural) for verb in verbs)
    )
    return [verb for verb, allowed in zip(verbs, answers, strict=True) if not allowed]
