"""Ingress health: its class exists. A published address is reported, never required."""

from __future__ import annotations

from typing import Final

from orchestrator.model.health import Health
from orchestrator.model.kinds import Json
from orchestrator.watcher.fields import clean, dig, mappings, meta, spec, status, text
from orchestrator.watcher.health.words import degraded, healthy
from orchestrator.watcher.view import StoreView

DEFAULT_CLASS: Final = "ingressclass.kubernetes.io/is-default-class"
_OLD_CLASS: Final = "kubernetes.io/ingress.class"


def assess(ingress: Json, view: StoreView) -> Health:
    """Judge an Ingress; the API server accepted it, a controller has to be there for its class."""
    name = class_name(ingress, view)
    if not name:
        sentence = "The shop's address names no ingress class and the cluster has no default one"
        return degraded("NoIngressClass", sentence, ingress)
    if view.ingress_class(name) is None:
        sentence = f"The cluster has no ingress class {name}, so nobody serves the shop's address"
        return degraded("IngressClassNotFound", sentence, ingress)
    return healthy("Accepted", f"Served by ingress class {name}, {published(ingress)}")


def class_name(ingress: Json, view: StoreView) -> str:
    """Return the ingress class in use: named, annotated (the old way) or the default."""
    named = text(spec(ingress).get("ingressClassName"))
    old = text(dig(meta(ingress), "annotations", _OLD_CLASS))
    if named or old:
        return clean(named or old, 253)
    defaults = (n for n, c in view.ingress_classes.items() if _is_default(c))
    return min(defaults, default="")


def _is_default(ingress_class: Json) -> bool:
    return text(dig(meta(ingress_class), "annotations", DEFAULT_CLASS)) == "true"


def published(ingress: Json) -> str:
    """Say at which addresses the controller published the route."""
    entries = mappings(dig(status(ingress), "loadBalancer", "ingress"))
    found = [clean(e.get("ip"), 60) or clean(e.get("hostname"), 253) for e in entries]
    known = [address for address in found if address]
    return f"published at {', '.join(known[:3])}" if known else "no address published"
