"""A store's conditions: what its objects mean for the shop owner.

Invariants: the four conditions are always all there; one that is not good says why in a sentence
that a shop owner understands, with the Kubernetes reason behind it; a shop that is switched off
(zero replicas) is not reported as serving.
"""

from __future__ import annotations

from typing import Final

from orchestrator.model.health import Health, HealthStatus
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.model.names import DATABASE_CLAIM
from orchestrator.watcher.fields import dig, mappings, meta, name_of, number, spec
from orchestrator.watcher.health import (
    container,
    deployment,
    ingress,
    initcontainer,
    persistentvolumeclaim,
    pod,
    service,
    statefulset,
)
from orchestrator.watcher.health.words import (
    DATABASE,
    WORDPRESS,
    degraded,
    health,
    healthy,
    missing,
    progressing,
    with_detail,
)
from orchestrator.watcher.view import StoreView

MYSQL: Final = "mysql"


def conditions(view: StoreView) -> dict[str, Health]:
    """Return the health behind DatabaseReady, SetupComplete, WordPressReady and RouteReady."""
    return {
        "DatabaseReady": database_ready(view),
        "SetupComplete": setup_complete(view),
        "WordPressReady": wordpress_ready(view),
        "RouteReady": route_ready(view),
    }


def database_ready(view: StoreView) -> Health:
    """Judge the database: StatefulSet ``mysql``, its pod and its volume."""
    stateful = view.get("StatefulSet", MYSQL)
    if stateful is None:
        return _absent("The database is", view.ref("StatefulSet", MYSQL))
    if _leaving(stateful):
        return progressing("Terminating", "The database is being taken down", stateful)
    claim = view.get("PersistentVolumeClaim", DATABASE_CLAIM)
    judged = statefulset.assess(stateful, view)
    if judged.reason == "ScaledToZero":
        return _switched_off("The database", stateful)
    if claim is None and not judged.ok:
        return _absent(
            "The database's volume is", view.ref("PersistentVolumeClaim", DATABASE_CLAIM)
        )
    if judged.ok or claim is None or view.pods(DATABASE):
        return judged
    volume = persistentvolumeclaim.assess(claim, view)
    return judged if volume.ok or judged.status is HealthStatus.DEGRADED else volume


def wordpress_ready(view: StoreView) -> Health:
    """Judge the shop's web server: Deployment ``wordpress`` and its newest pod."""
    found = view.get("Deployment", WORDPRESS)
    if found is None:
        return _absent("WordPress is", view.ref("Deployment", WORDPRESS))
    if _leaving(found):
        return progressing("Terminating", "WordPress is being taken down", found)
    judged = deployment.assess(found, view)
    return _switched_off("WordPress", found) if judged.reason == "ScaledToZero" else judged


def setup_complete(view: StoreView) -> Health:
    """Judge the set-up: init containers ``prepare`` and ``setup`` of the newest WordPress pod."""
    found = view.get("Deployment", WORDPRESS)
    if found is None:
        return _absent("WordPress is", view.ref("Deployment", WORDPRESS))
    pods = view.pods(WORDPRESS)
    if not pods:
        return _setup_without_pod(found, view)
    newest = pods[0]
    states = container.statuses(newest, init=True)
    setup = next((s for s in states if s.get("name") == initcontainer.SETUP), None)
    end = dig(setup, "state", "terminated")
    if isinstance(end, dict) and number(end.get("exitCode"), -1) == 0:
        said = initcontainer.outcome(end.get("message"))
        return healthy("SetupComplete", with_detail("The shop is set up", said))
    return _setup_pending(newest, states, view)


def _setup_pending(newest: Json, states: list[Json], view: StoreView) -> Health:
    """Say which step before the end of set-up is running or has failed."""
    if not _leaving(newest):
        for state in states:
            found = initcontainer.assess(newest, state)
            if found is not None:
                return found
    declared = mappings(spec(newest).get("initContainers"))
    if declared and not any(c.get("name") == initcontainer.SETUP for c in declared):
        return degraded("NoSetup", "WordPress' pod has no step that sets up the shop", newest)
    judged = pod.assess(newest, view)
    if not judged.ok:
        return judged
    return progressing("SetupUnknown", "How the set-up ended is not known yet", newest)


def _setup_without_pod(found: Json, view: StoreView) -> Health:
    if number(spec(found).get("replicas"), 1) == 0:
        return _switched_off("WordPress", found)
    waiting = progressing("Pending", "The set-up waits for WordPress' pod", found)
    return deployment.explain(found, view) or waiting


def route_ready(view: StoreView) -> Health:
    """Judge the way to the shop: ingress class, route, and a ready endpoint behind it."""
    route = view.get("Ingress", WORDPRESS)
    if route is None:
        return _absent("The shop's address is", view.ref("Ingress", WORDPRESS))
    if _leaving(route):
        return progressing("Terminating", "The shop's address is being taken down", route)
    judged = ingress.assess(route, view)
    if not judged.ok:
        return judged
    target = view.get("Service", WORDPRESS)
    if target is None:
        return _absent("The shop's Service is", view.ref("Service", WORDPRESS))
    if _leaving(target):
        return progressing("Terminating", "The shop's Service is being deleted", target)
    ready = service.endpoints(name_of(target), view)
    if not ready:
        sentence = "The shop's address waits for WordPress: no endpoint is ready"
        return health(HealthStatus.PROGRESSING, "NoReadyEndpoint", sentence, target)
    return healthy("Accepted", f"{judged.message}, {ready} ready")


def _leaving(obj: Json) -> bool:
    return bool(meta(obj).get("deletionTimestamp"))


def _absent(what: str, ref: ObjectRef) -> Health:
    return missing(f"{what} not there yet (Missing: {ref})")


def _switched_off(what: str, workload: Json) -> Health:
    return degraded("ScaledToZero", f"{what} is switched off: no replicas are asked for", workload)
