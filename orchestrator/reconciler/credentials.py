"""A store's credentials: generated once, by a create that lets an existing Secret win.

They never pass through the database, a log, an event or a plan. If the Secret is gone while the
database's volume exists, or the shop was Ready once, nothing is generated: a new password would
lose the shop.
"""

from __future__ import annotations

import secrets

from orchestrator.model.errors import AlreadyExists
from orchestrator.model.health import Health, HealthStatus
from orchestrator.model.kinds import ObjectRef
from orchestrator.model.names import CREDENTIALS_SECRET, DATABASE_CLAIM
from orchestrator.reconciler.context import Pass
from orchestrator.renderer import Credentials


def secret_ref(namespace: str) -> ObjectRef:
    """Return the identity of a store's Secret."""
    return ObjectRef("Secret", namespace, CREDENTIALS_SECRET)


async def _there(run: Pass, ref: ObjectRef) -> bool:
    """Whether the object exists; a namespace that this pass made holds nothing yet."""
    return not run.new_home and await run.find(ref) is not None


def generate() -> Credentials:
    """Return new random credentials (192 bits each; letters, digits, '-' and '_')."""
    return Credentials(
        admin_username="admin",
        admin_password=secrets.token_urlsafe(24),
        database_password=secrets.token_urlsafe(24),
        database_root_password=secrets.token_urlsafe(24),
        wordpress_salt=secrets.token_urlsafe(48),
    )


async def ensure(run: Pass) -> Health | None:
    """Create the Secret if it was never there; return why not when it may not be made again."""
    ref = secret_ref(run.store.namespace)
    if ref in run.live:
        return None
    cluster = run.tools.cluster
    if await _there(run, ref):
        return None
    volume = ObjectRef("PersistentVolumeClaim", run.store.namespace, DATABASE_CLAIM)
    if run.last_ready is not None or await _there(run, volume):
        return Health(
            HealthStatus.DEGRADED,
            "CredentialsLost",
            f"The shop's passwords are gone: {ref} was deleted. "
            "Restore that Secret from a backup; a new one would lock the shop out of its data.",
        )
    store = run.store
    manifest = run.tools.renderer.credentials(store.id, store.uid, store.spec, generate())
    try:
        created = await cluster.create(manifest)
    except AlreadyExists:
        return None
    metadata_only = {"kind": "Secret", "apiVersion": "v1", "metadata": created["metadata"]}
    run.tools.expectations.remember(store.id, {ref: metadata_only})
    return None
