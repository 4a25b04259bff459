"""Rules on Services, Ingresses and NetworkPolicies."""

from __future__ import annotations

import ipaddress

from orchestrator.sandbox import names
from orchestrator.sandbox.errors import FieldError
from orchestrator.sandbox.problems import Problems
from orchestrator.sandbox.validate_containers import PROTOCOLS
from orchestrator.sandbox.validate_workloads import selector_is_good
from orchestrator.sandbox.values import Json

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")


def service(problems: Problems, obj: Json) -> None:
    """Check a Service."""
    spec = obj["spec"]
    kind, headless = spec.get("type"), spec.get("clusterIP") == "None"
    ports = spec.get("ports") or []
    if not ports and not headless and kind != "ExternalName":
        problems.required("spec.ports")
    if kind == "ExternalName":
        if spec.get("clusterIPs") or spec.get("clusterIP"):
            problems.forbidden("spec.clusterIPs", "may not be set for ExternalName services")
        if not spec.get("externalName"):
            problems.required("spec.externalName")
        else:
            problems.by_rule("spec.externalName", spec["externalName"].rstrip("."), names.subdomain)
    _service_ports(problems, ports, kind)
    for key, value in (spec.get("selector") or {}).items():
        problems.by_rule("spec.selector", key, names.qualified)
        problems.by_rule("spec.selector", value, names.label_value)
    problems.one_of("spec.sessionAffinity", spec.get("sessionAffinity"), ("ClientIP", "None"))
    problems.one_of("spec.type", kind, _TYPES)
    if kind != "LoadBalancer" and "loadBalancerClass" in spec:
        why = "may only be used when `type` is 'LoadBalancer'"
        problems.forbidden("spec.loadBalancerClass", why)
    traffic = spec.get("externalTrafficPolicy")
    if traffic and kind not in ("LoadBalancer", "NodePort") and not spec.get("externalIPs"):
        why = "may only be set for externally-accessible services"
        problems.invalid("spec.externalTrafficPolicy", traffic, why)
    _same_ports(problems, ports)


def addresses(spec: Json) -> list[FieldError]:
    """Return what is wrong with the addresses that a Service asks for."""
    problems = Problems()
    kind = spec.get("type")
    asked = spec.get("clusterIPs") or [spec["clusterIP"]] if spec.get("clusterIP") else []
    headless = spec.get("clusterIP") == "None"
    if headless and kind in ("NodePort", "LoadBalancer"):
        problems.invalid(
            "spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services"
        )
    for number, address in enumerate(asked):
        if address not in ("None", "") and not _is_address(address):
            why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            problems.invalid(f"spec.clusterIPs[{number}]", address, why)
    if kind != "ExternalName" and not (headless and not spec.get("selector")):
        _families(problems, spec)
    return problems.found


def _families(problems: Problems, spec: Json) -> None:
    """Note what only a cluster with two address families can give."""
    policy = spec.get("ipFamilyPolicy")
    if policy == "RequireDualStack":
        why = "this cluster is not configured for dual-stack services"
        problems.invalid("spec.ipFamilyPolicy", policy, why)
    for number, family in enumerate(spec.get("ipFamilies") or []):
        if family == "IPv6":
            problems.invalid(f"spec.ipFamilies[{number}]", family, "not configured on this cluster")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _service_ports(problems: Problems, ports: list[Json], kind: str | None) -> None:
    seen: set[str] = set()
    for number, port in enumerate(ports):
        field = f"spec.ports[{number}]"
        name = port.get("name", "")
        if not name and len(ports) > 1:
            problems.required(f"{field}.name")
        elif name:
            problems.by_rule(f"{field}.name", name, names.label)
            if name in seen:
                problems.duplicate(f"{field}.name", name)
            seen.add(name)
        problems.port(f"{field}.port", port.get("port"))
        problems.one_of(f"{field}.protocol", port.get("protocol"), PROTOCOLS)
        target = port.get("targetPort")
        if isinstance(target, str):
            problems.by_rule(f"{field}.targetPort", target, names.port_name)
        else:
            problems.port(f"{field}.targetPort", target)
        if port.get("nodePort") and kind == "ClusterIP":
            why = "may not be used when `type` is 'ClusterIP'"
            problems.forbidden(f"{field}.nodePort", why)


def _same_ports(problems: Problems, ports: list[Json]) -> None:
    seen: set[tuple[object, object]] = set()
    for number, port in enumerate(ports):
        key = (port.get("protocol"), port.get("port"))
        if key in seen:
            value = {
                "Name": "",
                "Protocol": key[0],
                "AppProtocol": None,
                "Port": key[1],
                "TargetPort": 0,
                "NodePort": 0,
            }
            problems.duplicate(f"spec.ports[{number}]", value)
        seen.add(key)


def ingress(problems: Problems, obj: Json) -> None:
    """Check an Ingress."""
    spec = obj["spec"]
    if not spec.get("rules") and "defaultBackend" not in spec:
        problems.invalid("spec", None, "either `defaultBackend` or `rules` must be specified")
    if "ingressClassName" in spec:
        problems.by_rule("spec.ingressClassName", spec["ingressClassName"], names.subdomain)
    if "defaultBackend" in spec:
        _backend(problems, "spec.defaultBackend", spec["defaultBackend"])
    for number, rule in enumerate(spec.get("rules") or []):
        _ingress_rule(problems, f"spec.rules[{number}]", rule)
    for number, entry in enumerate(spec.get("tls") or []):
        for at, host in enumerate(entry.get("hosts") or []):
            kind = names.wildcard if "*" in host else names.subdomain
            problems.by_rule(f"spec.tls[{number}].hosts[{at}]", host, kind)
        if secret := entry.get("secretName"):
            problems.by_rule(f"spec.tls[{number}].secretName", secret, names.subdomain)


def _ingress_rule(problems: Problems, field: str, rule: Json) -> None:
    host = rule.get("host", "")
    if host:
        if _is_address(host):
            problems.invalid(f"{field}.host", host, "must be a DNS name, not an IP address")
        elif "*" in host:
            problems.by_rule(f"{field}.host", host, names.wildcard)
        else:
            problems.by_rule(f"{field}.host", host, names.subdomain)
    if "http" not in rule:
        return
    paths = rule["http"].get("paths") or []
    if not paths:
        problems.required(f"{field}.http.paths")
    for number, path in enumerate(paths):
        _path(problems, f"{field}.http.paths[{number}]", path)


def _path(problems: Problems, field: str, entry: Json) -> None:
    kind, path = entry.get("pathType"), entry.get("path", "")
    if kind is None:
        problems.required(f"{field}.pathType", "pathType must be specified")
        return
    if kind not in _PATH_TYPES:
        problems.unsupported(f"{field}.pathType", kind, _PATH_TYPES)
    elif kind != "ImplementationSpecific" or path:
        if not path.startswith("/"):
            problems.invalid(f"{field}.path", path, "must be an absolute path")
        elif kind != "ImplementationSpecific":
            for mark in ("//", "/./", "/../", "%2f", "%2F"):
                if mark in path:
                    problems.invalid(f"{field}.path", path, f"must not contain '{mark}'")
    _backend(problems, f"{field}.backend", entry.get("backend") or {})


def _backend(problems: Problems, field: str, backend: Json) -> None:
    if "service" in backend and "resource" in backend:
        problems.invalid(field, "", "cannot set both resource and service backends")
        return
    if "service" not in backend:
        if "resource" not in backend:
            problems.invalid(field, "", "resource or service backend is required")
        return
    found, here = backend["service"], f"{field}.service"
    if not found.get("name"):
        problems.required(f"{here}.name")
    else:
        problems.by_rule(f"{here}.name", found["name"], names.label)
    port = found.get("port") or {}
    name, number = port.get("name", ""), port.get("number", 0)
    if name and number:
        problems.invalid(field, "", "cannot set both port name & port number")
    elif name:
        problems.by_rule(f"{here}.port.name", name, names.port_name)
    elif number:
        problems.port(f"{here}.port.number", number)
    else:
        problems.required(field, "port name or number is required")


def network_policy(problems: Problems, obj: Json) -> None:
    """Check a NetworkPolicy."""
    spec = obj["spec"]
    selector_is_good(problems, "spec.podSelector", spec.get("podSelector") or {})
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for number, rule in enumerate(spec.get(direction) or []):
            field = f"spec.{direction}[{number}]"
            for at, port in enumerate(rule.get("ports") or []):
                _policy_port(problems, f"{field}.ports[{at}]", port)
            for at, peer in enumerate(rule.get(peers) or []):
                _peer(problems, f"{field}.{peers}[{at}]", peer)
    types = spec.get("policyTypes") or []
    if len(types) > 2:
        why = "may not specify more than two policyTypes"
        problems.invalid("spec.policyTypes", types, why)
        return
    for number, kind in enumerate(types):
        problems.one_of(f"spec.policyTypes[{number}]", kind, ("Ingress", "Egress"))


def _policy_port(problems: Problems, field: str, entry: Json) -> None:
    problems.one_of(f"{field}.protocol", entry.get("protocol", "TCP"), ("TCP", "UDP", "SCTP"))
    port, end = entry.get("port"), entry.get("endPort")
    if isinstance(port, int):
        problems.port(f"{field}.port", port)
        if end is not None:
            if end < port:
                why = "must be greater than or equal to `port`"
                problems.invalid(f"{field}.endPort", port, why)
            problems.port(f"{field}.endPort", end)
    elif isinstance(port, str):
        problems.by_rule(f"{field}.port", port, names.port_name)
        if end is not None:
            why = "may not be specified when `port` is non-numeric"
            problems.invalid(f"{field}.endPort", end, why)
    elif end is not None:
        why = "may not be specified when `port` is not specified"
        problems.invalid(f"{field}.endPort", end, why)


def _peer(problems: Problems, field: str, peer: Json) -> None:
    for key in ("podSelector", "namespaceSelector"):
        if key in peer:
            selector_is_good(problems, f"{field}.{key}", peer[key])
    if not {"podSelector", "namespaceSelector", "ipBlock"} & peer.keys():
        problems.required(field, "must specify a peer")
    elif "ipBlock" in peer:
        if len(peer) > 1:
            problems.forbidden(field, "may not specify both ipBlock and another peer")
        _block(problems, f"{field}.ipBlock", peer["ipBlock"])


def _block(problems: Problems, field: str, block: Json) -> None:
    whole = _network(problems, f"{field}.cidr", block.get("cidr", ""))
    for number, text in enumerate(block.get("except") or []):
        here = f"{field}.except[{number}]"
        part = _network(problems, here, text)
        if whole is None or part is None:
            continue
        inside = (
            part.version == whole.version
            and part.prefixlen > whole.prefixlen
            and part.network_address in whole
        )
        if not inside:
            problems.invalid(here, text, "must be a strict subset of `cidr`")


def _network(
    problems: Problems, field: str, text: str
) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    if not text:
        problems.required(field)
        return None
    try:
        if "/" in text:
            return ipaddress.ip_network(text, strict=False)
    except ValueError:
        pass
    why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
    problems.invalid(field, text, why)
    return None
