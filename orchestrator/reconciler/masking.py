"""What must not be seen: the values of a store's Secret, read for the time of a masking.

Containers may print what they were given, and Kubernetes quotes them: a probe's output stands in an
event, the last lines of a container that failed in its pod's status
(``terminationMessagePolicy: FallbackToLogsOnError``).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Final

from orchestrator.cluster import Cluster
from orchestrator.model.errors import ClusterError
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.model.names import namespace_of
from orchestrator.reconciler.credentials import secret_ref
from orchestrator.watcher import StoreView
from orchestrator.watcher.events import about
from orchestrator.watcher.fields import dig, mapping, mappings, number, status

MASK: Final = "•••"
WITHHELD: Final = "(not told: the passwords that may stand in it could not be read to mask them)"
_SHORTEST: Final = 8
"""Shorter values (a user name) are no secrets and would mask half of every text."""
_STATUSES: Final = ("initContainerStatuses", "containerStatuses")


async def secrets_of(cluster: Cluster, namespace: str) -> Sequence[str]:
    """Return what must not be seen, the longest first.

    Errors: ClusterError. That the Secret is not there is one too: its values may still be printed.
    """
    secret = await cluster.get(secret_ref(namespace))
    values = (base64.b64decode(v).decode(errors="replace") for v in secret.get("data", {}).values())
    return sorted((v for v in values if len(v) >= _SHORTEST), key=len, reverse=True)


def masked(value: Any, secrets: Sequence[str]) -> Any:
    """Return the JSON value with every secret in its texts covered."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, list):
        return [masked(item, secrets) for item in value]
    if isinstance(value, dict):
        return {key: masked(item, secrets) for key, item in value.items()}
    return value


def masked_event(event: Json, secrets: Sequence[str] | None) -> Json:
    """Return an event that may be told; ``secrets`` is None where they are not known."""
    if secrets is not None:
        told: Json = masked(event, secrets)
        return told
    return {**event, "message": WITHHELD} if about(event)[0] == "Pod" else event


async def legible(cluster: Cluster, view: StoreView) -> StoreView:
    """Return the view with the secrets covered in what failed containers said.

    Where the secrets are not known nothing that they said is left. It asks the API server only
    where a container failed with words, and never raises.
    """
    speaking = [pod for pod in view.of_kind("Pod") if _speaks(pod)]
    if not speaking:
        return view
    try:
        secrets = await secrets_of(cluster, namespace_of(view.store_id))
    except ClusterError:
        quiet = {ObjectRef.of(p): {**p, "status": _wordless(p["status"])} for p in speaking}
        return view.with_objects(quiet)
    covered = {ObjectRef.of(p): {**p, "status": masked(p["status"], secrets)} for p in speaking}
    return view.with_objects(covered)


def _speaks(pod: Json) -> bool:
    return any(
        end.get("message") and number(end.get("exitCode"), -1) != 0
        for statuses in _STATUSES
        for state in mappings(status(pod).get(statuses))
        for end in (mapping(dig(state, when, "terminated")) for when in ("state", "lastState"))
    )


def _wordless(value: Any, *, ended: bool = False) -> Any:
    if isinstance(value, list):
        return [_wordless(item) for item in value]
    if isinstance(value, dict):
        return {
            key: _wordless(item, ended=key == "terminated")
            for key, item in value.items()
            if not (ended and key == "message")
        }
    return value
