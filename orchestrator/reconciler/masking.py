"""What must not be seen: the values of a store's Secret, read for the time of a masking."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Final

from orchestrator.cluster import Cluster
from orchestrator.model.errors import ObjectNotFound
from orchestrator.reconciler.credentials import secret_ref

MASK: Final = "•••"
_SHORTEST: Final = 8
"""Shorter values (a user name) are no secrets and would mask half of every text."""


async def secrets_of(cluster: Cluster, namespace: str) -> Sequence[str]:
    """Return what must not be seen, the longest first. Errors: ClusterError."""
    try:
        secret = await cluster.get(secret_ref(namespace))
    except ObjectNotFound:
        return ()
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
