"""Who may speak to whom, judged as a policy engine judges it."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from orchestrator.model.kinds import Json
from tests.renderer.samples import LOCAL, PROD, find, pod_templates, render

Peer = dict[str, Any]


def pod(name: str) -> Peer:
    labels = dict(pod_templates(render()))[name]["metadata"]["labels"]
    return {"labels": labels, "namespace": "store-acme"}


def stranger(namespace: str, **labels: str) -> Peer:
    return {"labels": labels, "namespace": namespace}


def address(text: str) -> Peer:
    return {"address": text}


def matches(selector: Json, labels: Json) -> bool:
    assert set(selector) <= {"matchLabels"}
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def admits(rule_peer: Json, other: Peer) -> bool:
    if "ipBlock" in rule_peer:
        block = rule_peer["ipBlock"]
        target = ipaddress.ip_address(other.get("address", "10.244.0.9"))
        net = ipaddress.ip_network(block["cidr"])
        outside = [ipaddress.ip_network(x) for x in block.get("except", [])]
        if target.version != net.version:
            return False
        return target in net and not any(target in x for x in outside)
    if "address" in other:
        return False
    if "namespaceSelector" in rule_peer:
        own = {"kubernetes.io/metadata.name": other["namespace"]}
        if not matches(rule_peer["namespaceSelector"], own):
            return False
    elif other["namespace"] != "store-acme":
        return False
    return matches(rule_peer.get("podSelector", {}), other["labels"])


def allowed(
    subject: Peer,
    other: Peer,
    port: int,
    direction: str,
    protocol: str = "TCP",
    profile: Any = LOCAL,
) -> bool:
    """Kubernetes' rule: selected and not admitted by any policy means no."""
    side, key = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
    selecting = [
        obj["spec"]
        for obj in render(profile=profile).objects
        if obj["kind"] == "NetworkPolicy"
        and direction in obj["spec"]["policyTypes"]
        and matches(obj["spec"]["podSelector"], subject["labels"])
    ]
    assert selecting, "every pod is selected in both directions"
    return any(
        {"protocol": protocol, "port": port} in rule["ports"]
        and any(admits(peer, other) for peer in rule[key])
        for spec in selecting
        for rule in spec.get(side, [])
    )


WEB, CRON, DATABASE = pod("wordpress"), pod("wp-cron"), pod("mysql")
UNKNOWN = stranger("store-acme", app="debug")
DNS = stranger("kube-system", **{"k8s-app": "kube-dns"})
NEIGHBOUR_DATABASE = stranger("store-other", **pod("mysql")["labels"])
NEIGHBOUR_WEB = stranger("store-other", **pod("wordpress")["labels"])


def connects(source: Peer, target: Peer, port: int) -> bool:
    return allowed(source, target, port, "Egress") and allowed(target, source, port, "Ingress")


def test_wordpress_and_its_cron_reach_the_database() -> None:
    assert connects(WEB, DATABASE, 3306)
    assert connects(CRON, DATABASE, 3306)


@pytest.mark.parametrize("source", [UNKNOWN, NEIGHBOUR_WEB, stranger("traefik")])
def test_nobody_else_reaches_the_database(source: Peer) -> None:
    assert not allowed(DATABASE, source, 3306, "Ingress")


def test_the_ingress_controller_reaches_wordpress_and_nothing_else_does() -> None:
    assert allowed(WEB, stranger("traefik", app="traefik"), 8080, "Ingress")
    for other in (UNKNOWN, CRON, DATABASE, NEIGHBOUR_WEB, stranger("ingress-nginx")):
        assert not allowed(WEB, other, 8080, "Ingress")
    assert not allowed(WEB, stranger("traefik"), 80, "Ingress")
    assert allowed(WEB, stranger("ingress-nginx"), 8080, "Ingress", profile=PROD)


@pytest.mark.parametrize("source", [WEB, CRON])
def test_what_leaves_wordpress(source: Peer) -> None:
    for protocol in ("UDP", "TCP"):
        assert allowed(source, DNS, 53, "Egress", protocol)
    assert allowed(source, address("93.184.216.34"), 443, "Egress")
    assert allowed(source, address("2606:2800:220:1::1"), 443, "Egress")
    assert not allowed(source, address("93.184.216.34"), 80, "Egress")
    assert not allowed(source, address("93.184.216.34"), 25, "Egress")


@pytest.mark.parametrize(
    "target",
    ["169.254.169.254", "10.96.0.1", "10.244.0.7", "172.18.0.2", "192.168.1.1", "100.64.0.1",
     "127.0.0.1", "fd00::1", "fe80::1", "::1"],
)  # fmt: skip
def test_https_ends_at_the_clusters_edge(target: str) -> None:
    for source in (WEB, CRON):
        assert not allowed(source, address(target), 443, "Egress")


def test_a_shop_does_not_reach_its_neighbour() -> None:
    assert not allowed(WEB, NEIGHBOUR_DATABASE, 3306, "Egress")
    assert not allowed(WEB, NEIGHBOUR_WEB, 8080, "Egress")
    assert not allowed(WEB, NEIGHBOUR_WEB, 443, "Egress")


@pytest.mark.parametrize("source", [DATABASE, UNKNOWN])
def test_nothing_leaves_the_database_or_a_pod_of_unknown_use(source: Peer) -> None:
    assert not allowed(source, DNS, 53, "Egress", "UDP")
    assert not allowed(source, address("93.184.216.34"), 443, "Egress")
    assert not allowed(source, DATABASE, 3306, "Egress")


def test_certificates_can_be_proven_where_there_is_an_issuer() -> None:
    solver = stranger("store-acme", **{"acme.cert-manager.io/http01-solver": "true"})
    controller = stranger("ingress-nginx")
    assert allowed(solver, controller, 8089, "Ingress", profile=PROD)
    assert not allowed(solver, controller, 8089, "Ingress", profile=LOCAL)


@pytest.mark.parametrize("profile", [LOCAL, PROD], ids=["local", "prod"])
def test_services_select_their_pods_and_ports(profile: Any) -> None:
    rendered = render(profile=profile)
    templates = dict(pod_templates(rendered))
    for name in ("mysql", "wordpress"):
        spec = find(rendered, "Service", name)["spec"]
        hit = [
            n
            for n, t in templates.items()
            if spec["selector"].items() <= t["metadata"]["labels"].items()
        ]
        assert hit == [name]
        (port,) = spec["ports"]
        (container,) = templates[name]["spec"]["containers"]
        assert port["targetPort"] in [p["name"] for p in container["ports"]]
    assert find(rendered, "Service", "wordpress")["spec"]["ports"][0]["port"] == 80


def test_names_and_routes_do_not_lag_behind_the_pods() -> None:
    rendered = render()
    assert find(rendered, "Service", "mysql")["spec"]["publishNotReadyAddresses"] is True
    notes = find(rendered, "Service", "wordpress")["metadata"]["annotations"]
    assert notes == {"traefik.ingress.kubernetes.io/service.nativelb": "true"}
