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
    headless = spec["clusterIP"] == "None" and not spec.get("selector")
    families = spec.get("ipFamilies") or []
    both = spec.get("ipFamilyPolicy", "RequireDualStack") == "RequireDualStack"
    if headless and not families and both:
        spec["ipFamilies"], spec["ipFamilyPolicy"] = ["IPv4", "IPv6"], "RequireDualStack"
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        _node_ports(storage, spec)


def _follow_first_address(old: Json, new: Json) -> None:
    """Bring ``clusterIPs`` in step when an update changed ``clusterIP`` alone, in place."""
    before, spec = old["spec"], new["spec"]
    address = spec.get("clusterIP", "")
    same = spec.get("clusterIPs") == before.get("clusterIPs")
    if address == before.get("clusterIP", "") or not same or not spec.get("clusterIPs"):
        return
    if address:
        spec["clusterIPs"] = [address, *spec["clusterIPs"][1:]]
    else:
        del spec["clusterIPs"]


def keep_allocated(old: Json, new: Json) -> None:
    """Fill what an update left out with what the Service already has, in place."""
    _follow_first_address(old, new)
    before, spec = old["spec"], new["spec"]
    if spec.get("type") != "ExternalName" and before.get("type") != "ExternalName":
        if spec.get("clusterIP") and "clusterIPs" not in spec:
            spec["clusterIPs"] = [spec["clusterIP"]]
        for key in ("clusterIP", "clusterIPs", "ipFamilyPolicy"):
            if key in before and key not in spec:
                spec[key] = before[key]
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        ports = {(p["port"], p["protocol"]): p.get("nodePort") for p in before.get("ports") or ()}
        for port in spec.get("ports") or ():
            known = ports.get((port["port"], port["protocol"]))
            if known and "nodePort" not in port:
                port["nodePort"] = known
    _drop_unused(before, spec)


def _drop_unused(before: Json, spec: Json) -> None:
    """Drop what another type had and this one cannot have, where nobody asked for it anew."""
    was, now = before.get("type"), spec.get("type")
    outside = ("NodePort", "LoadBalancer")
    if now == "ExternalName" != was:
        _drop_same(before, spec, "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
    if was in outside and now not in outside:
        ports = [[p.get("nodePort") for p in s.get("ports") or ()] for s in (before, spec)]
        if ports[1] == ports[0][: len(ports[1])] or not any(ports[1]):
            for port in spec.get("ports") or ():
                port.pop("nodePort", None)
        _drop_same(before, spec, "externalTrafficPolicy")
    if was == "LoadBalancer" != now:
        _drop_same(before, spec, "allocateLoadBalancerNodePorts", "loadBalancerClass")


def _drop_same(before: Json, spec: Json, *keys: str) -> None:
    """Drop the fields that an update did not touch."""
    for key in keys:
        if spec.get(key) == before.get(key):
            spec.pop(key, None)


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
