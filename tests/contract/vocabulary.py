"""Objects at random, right and wrong: what the differential test sends to two API servers.

Every maker takes a source of chance and returns a body without name and kind.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.contract.chance import Json, quantity, rarely, some

A, B = "example.com/a", "example.com/b"


def meta(rng: Random, name: str) -> Json:
    """Return metadata of an object."""
    found = some(rng, {
        "labels": lambda r: some(r, {"app": ["web", "db"], "tier": ["1", "2", ""], "x": ["y"]}),
        "annotations": lambda r: some(r, {"note": ["a", "b"], "example.com/n": ["1", "{}"]}),
        "finalizers": [[A], [B], [A, B], []],
    }, 0.25)  # fmt: skip
    if rng.random() < 0.03:
        found |= some(rng, {
            "labels": [{"a b": "c"}, {"a": "not a label"}, {"a": 1}, None],
            "annotations": [{"/": "x"}, {"n": True}, None],
            "finalizers": [["hold"], [A, A], [""]],
            "ownerReferences": [[{"apiVersion": "v1", "kind": "ConfigMap", "name": "x"}]],
            "generation": [7],
            "creationTimestamp": ["2020-01-01T00:00:00Z", "yesterday"],
            "unknown": [1],
        }, 0.3)  # fmt: skip
    return {"name": name} | found


def config_map(rng: Random) -> Json:
    return some(rng, {
        "data": lambda r: {"b": "2"} | some(r, {
            "a": ["1", "2"], "b": ["1", ""], "c.txt": ["x\ny\n", "ü"],
        }) | some(r, {"a": [1, None, True], "b/c": ["1"], "..": ["1"]}, 0.02),
        "binaryData": [{"d": "YQ=="}, {"d": "Yg=="}, {"a": "YQ=="}],
    }, 0.7) | some(rng, {"immutable": [True, False]}, 0.06)  # fmt: skip


def secret(rng: Random) -> Json:
    return some(rng, {
        "data": lambda r: {"b": "Yw=="} | some(r, {"a": ["YQ==", "Yg=="], "b": ["", "Yw=="]})
        | some(r, {"a": ["***", "YQ", None, 1]}, 0.03),
        "stringData": lambda r: {"c": "z"} | some(r, {"a": ["x", ""], "c": ["grüße", "z"]}),
    }, 0.6) | some(rng, {
        "type": ["Opaque", "kubernetes.io/basic-auth", "kubernetes.io/tls", "example.com/t"],
        "immutable": [True, False],
    }, 0.08)  # fmt: skip


def _port(rng: Random) -> Json:
    return {"port": rarely(rng, [80, 443, 8080], [0, 70000, "80"])} | some(rng, {
        "name": lambda r: rarely(r, ["http", "https", "x"], ["Http", "a_b", ""]),
        "protocol": lambda r: rarely(r, ["TCP", "UDP"], ["SCTP", "tcp", "HTTP"]),
        "targetPort": lambda r: rarely(r, [80, "http", 8080], ["HTTP_", 0, -1, "80"]),
    })  # fmt: skip


def service(rng: Random) -> Json:
    spec = some(rng, {
        "ports": lambda r: [_port(r) for _ in range(r.choice((1, 1, 2)))],
        "selector": [{"app": "web"}, {"app": "db"}, {}],
    }, 0.9) | some(rng, {
        "type": lambda r: rarely(r, ["ClusterIP"], ["NodePort", "ExternalName", "Nothing"], 0.3),
        "clusterIP": ["None", "None", "x"],
        "sessionAffinity": lambda r: rarely(r, ["None", "ClientIP"], ["Always"]),
        "internalTrafficPolicy": ["Cluster", "Local"],
        "publishNotReadyAddresses": [True, False],
        "externalName": ["example.com"],
        "externalTrafficPolicy": ["Local"],
        "loadBalancerClass": ["example.com/lb"],
        "ipFamilyPolicy": ["SingleStack"],
    }, 0.1)  # fmt: skip
    return {"spec": spec}


def _backend(rng: Random) -> Json:
    number = {"service": {"name": "web", "port": {"number": 80}}}
    named = {"service": {"name": "web", "port": {"name": "http"}}}
    wrong = [{}, {"service": {"name": "web"}}, {"service": {"name": "W", "port": {"number": 0}}},
             {"service": {"name": "web", "port": {"number": 80, "name": "http"}}}]  # fmt: skip
    found: Json = rarely(rng, [number, named], wrong)
    return found


def _rule(rng: Random) -> Json:
    def path(r: Random) -> Json:
        return {"backend": _backend(r)} | some(r, {
            "path": lambda q: rarely(q, ["/", "/a", "/a/b"], ["a", "/a//b", "/../x", ""]),
            "pathType": lambda q: rarely(q, ["Prefix", "Exact", "ImplementationSpecific"],
                                         ["Regex"]),
        }, 0.97)  # fmt: skip

    hosts = ["a.example.com", "b.example.com", "*.example.com"]
    return some(rng, {
        "host": lambda r: rarely(r, hosts, ["A.example.com", "1.2.3.4", "a.*.com"]),
        "http": lambda r: rarely(r, [{"paths": [path(r) for _ in range(r.choice((1, 2)))]}],
                                 [{"paths": []}]),
    }, 0.9)  # fmt: skip


def ingress(rng: Random) -> Json:
    spec = some(rng, {
        "rules": lambda r: [_rule(r) for _ in range(r.choice((1, 2)))],
    }, 0.9) | some(rng, {
        "defaultBackend": _backend,
        "tls": [[{"hosts": ["a.example.com"], "secretName": "t"}], [{"secretName": "T"}], [{}]],
    }, 0.2)  # fmt: skip
    return {"spec": spec | {"ingressClassName": rarely(rng, ["traefik"], ["T", "", "other"])}}


def _peer(rng: Random) -> Json:
    found: Json = rarely(rng, [
        {"podSelector": {"matchLabels": {"app": "web"}}},
        {"namespaceSelector": {}},
        {"podSelector": {}, "namespaceSelector": {"matchLabels": {"x": "y"}}},
        {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}},
    ], [{}, {"ipBlock": {"cidr": "10.0.0.0"}},
        {"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}},
        {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/8"]}}, {"ipBlock": {}},
        {"podSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}])  # fmt: skip
    return found


def _policy_port(rng: Random) -> Json:
    return some(rng, {
        "port": lambda r: rarely(r, [80, "http"], [0, "HTTP_", 70000]),
        "protocol": lambda r: rarely(r, ["TCP", "UDP", "SCTP"], ["ICMP"]),
        "endPort": lambda r: rarely(r, [90, 8080], [1, 70000]),
    }, 0.6)  # fmt: skip


def network_policy(rng: Random) -> Json:
    def rules(side: str) -> Callable[[Random], list[Json]]:
        return lambda r: [
            some(r, {side: lambda q: [_peer(q)], "ports": lambda q: [_policy_port(q)]})
            for _ in range(r.choice((1, 1, 2)))
        ]

    spec = some(rng, {
        "ingress": rules("from"),
        "egress": rules("to"),
        "policyTypes": lambda r: rarely(r, [["Ingress"], ["Egress", "Ingress"], ["Egress"], []],
                                        [["Other"], ["Ingress", "Egress", "Ingress"]]),
    })  # fmt: skip
    spec["podSelector"] = rarely(
        rng, [{}, {"matchLabels": {"app": "web"}},
              {"matchExpressions": [{"key": "a", "operator": "Exists"}]}],
        [{"matchExpressions": [{"key": "a", "operator": "Like"}]},
         {"matchLabels": {"a b": "c"}}])  # fmt: skip
    return {"spec": spec}


def claim_spec(rng: Random) -> Json:
    return {
        "accessModes": rarely(rng, [["ReadWriteOnce"], ["ReadWriteOnce"], ["ReadWriteMany"]],
                              [[], ["ReadWrite"], ["ReadWriteOncePod", "ReadWriteOnce"]]),
        "resources": rarely(rng, [{"requests": {"storage": q}} for q in ("1Gi", "1024Mi", "2Gi")],
                            [{}, *({"requests": {"storage": q}} for q in ("0", "-1Gi"))]),
    } | some(rng, {
        "storageClassName": lambda r: rarely(r, ["standard", "none-such"], ["N", ""]),
        "volumeMode": lambda r: rarely(r, ["Filesystem", "Block"], ["Tape"]),
        "selector": [{"matchLabels": {"a": "b"}}],
        "volumeName": ["v"],
    }, 0.15)  # fmt: skip


def claim(rng: Random) -> Json:
    return {"spec": claim_spec(rng)}


def quota(rng: Random) -> Json:
    names = {"pods": ["5", 5, "5k"], "requests.cpu": quantity, "limits.memory": quantity,
             "count/jobs.batch": ["3"]}  # fmt: skip
    odd = {"bananas": ["1"], "pods": ["0.5", "-1"], "a b": ["1"], "count/": ["1"]}
    spec: Json = {"hard": some(rng, names) | some(rng, odd, 0.03)}
    spec |= some(rng, {
        "scopes": [["NotTerminating"], ["BestEffort"], ["Whatever"],
                   ["BestEffort", "NotBestEffort"]],
    }, 0.05)  # fmt: skip
    return {"spec": spec}


def limit_range(rng: Random) -> Json:
    def item(r: Random) -> Json:
        part = some(r, {
            key: lambda q: some(q, {"cpu": quantity, "memory": quantity})
            for key in ("min", "max", "default", "defaultRequest")
        }, 0.35)  # fmt: skip
        part |= some(r, {"maxLimitRequestRatio": [{"cpu": "2"}, {"cpu": "0.5"}]}, 0.1)
        part = {key: amounts for key, amounts in part.items() if amounts}
        return {"type": rarely(r, ["Container", "Container", "Pod"], ["Thing", "example.com/T"]),
                **part}  # fmt: skip

    return {"spec": {"limits": [item(rng) for _ in range(rng.choice((1, 1, 2)))]}}


def budget(rng: Random) -> Json:
    spec = some(rng, {
        "selector": [{"matchLabels": {"app": "web"}}, {}],
        "minAvailable": lambda r: rarely(r, [1, "50%"], [-1, "half", "150%"]),
        "unhealthyPodEvictionPolicy": ["AlwaysAllow", "Odd"],
    }, 0.6) | some(rng, {"maxUnavailable": [1, "0%"]}, 0.2)  # fmt: skip
    return {"spec": spec}


def account(rng: Random) -> Json:
    return some(rng, {
        "automountServiceAccountToken": [True, False],
        "imagePullSecrets": [[{"name": "a"}], [{"name": "b"}], [{"name": "a"}, {"name": "b"}]],
        "secrets": [[{"name": "a"}]],
    })  # fmt: skip
