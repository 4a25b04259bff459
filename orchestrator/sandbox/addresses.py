"""Addresses of Services, handed out as the API server's allocators do.

An address belongs to a Service for its life; it is never taken from a stored object.
"""

from __future__ import annotations

import random

from orchestrator.sandbox import resources
from orchestrator.sandbox.storage import Storage
from orchestrator.sandbox.values import Json

_NODE_PORTS = range(30000, 32768)


def allocate(storage: Storage, service: Json) -> None:
    """Give a new Service its addresses and node ports, in place."""
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return
    if not spec.get("clusterIP"):
        spec["clusterIP"] = (spec.get("clusterIPs") or [_free_address(storage)])[0]
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        _node_ports(storage, spec)


def keep_allocated(storage: Storage, old: Json, new: Json) -> None:
    """Fill what an update left out with what the Service already has, in place."""
    before, spec = old["spec"], new["spec"]
    if spec.get("type") != "ExternalName" and before.get("type") != "ExternalName":
        for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if key in before and key not in spec:
                spec[key] = before[key]
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        ports = {(p["port"], p["protocol"]): p.get("nodePort") for p in before.get("ports") or ()}
        for port in spec.get("ports") or ():
            known = ports.get((port["port"], port["protocol"]))
            if known and "nodePort" not in port:
                port["nodePort"] = known
    allocate(storage, new)


def _free_address(storage: Storage) -> str:
    taken = {s["spec"].get("clusterIP") for s in storage.items(resources.of("Service"))}
    while True:
        address = f"10.96.{random.randint(1, 254)}.{random.randint(1, 254)}"
        if address not in taken:
            return address


def _node_ports(storage: Storage, spec: Json) -> None:
    services = storage.items(resources.of("Service"))
    taken = {p.get("nodePort") for s in services for p in s["spec"].get("ports") or ()}
    for port in spec.get("ports") or ():
        if not port.get("nodePort"):
            port["nodePort"] = next(n for n in _NODE_PORTS if n not in taken)
        taken.add(port["nodePort"])
