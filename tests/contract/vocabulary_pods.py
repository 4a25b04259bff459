"""Workloads at random, right and wrong; none of them has pods."""

from __future__ import annotations

from random import Random

from tests.contract.chance import Json, Maker, quantity, rarely, some
from tests.contract.vocabulary import claim_spec


def _env(rng: Random) -> Json:
    source = [{"secretKeyRef": {"name": "s", "key": "k"}},
              {"fieldRef": {"fieldPath": "metadata.name"}},
              {"configMapKeyRef": {"name": "s", "key": "k", "optional": True}},
              {"resourceFieldRef": {"resource": "limits.cpu"}}]  # fmt: skip
    odd = [{}, {"fieldRef": {"fieldPath": "metadata.nothing"}}, {"secretKeyRef": {"name": "s"}},
           {"fieldRef": {"fieldPath": "status.podIP"}, "secretKeyRef": {"name": "s", "key": "k"}},
           {"resourceFieldRef": {"resource": "limits.gpu"}}]  # fmt: skip
    name = rarely(rng, ["A", "B", "C", "D"], ["1A", "a=b", ""], 0.02)
    found: Json = {"name": name}
    if rng.random() < 0.6:
        return found | some(rng, {"value": lambda r: rarely(r, ["1", "2", ""], [3, True])}, 0.9)
    found["valueFrom"] = rarely(rng, source, odd)
    return found


def _distinct(rng: Random, make: Maker, key: str, most: int) -> list[Json]:
    """Return a list whose keys differ, now and then one whose keys do not."""
    made = [make(rng) for _ in range(rng.randint(0, most))]
    if rng.random() < 0.04:
        return made
    return list({str(item.get(key)): item for item in made}.values())


def _probe(rng: Random) -> Json:
    how: Json = rarely(rng, [
        {"httpGet": {"path": "/", "port": 80}}, {"tcpSocket": {"port": "http"}},
        {"exec": {"command": ["true"]}}, {"httpGet": {"port": 80, "scheme": "HTTPS",
         "httpHeaders": [{"name": "X", "value": "y"}]}}, {"grpc": {"port": 80}},
    ], [{}, {"httpGet": {"path": "/"}}, {"exec": {}}, {"httpGet": {"port": 0}},
        {"tcpSocket": {"port": 1}, "exec": {"command": ["true"]}}])  # fmt: skip
    return how | some(rng, {
        "periodSeconds": lambda r: rarely(r, [5, 10], [0, -1]),
        "failureThreshold": lambda r: rarely(r, [1, 3], [0, -1]),
        "initialDelaySeconds": [0, 5],
        "timeoutSeconds": [1, 5],
        "successThreshold": lambda r: rarely(r, [1], [2]),
        "terminationGracePeriodSeconds": lambda r: rarely(r, [5], [0]),
    }, 0.2)  # fmt: skip


def _context(rng: Random) -> Json:
    return some(rng, {
        "runAsUser": lambda r: rarely(r, [1000, 33, 0], [-1]),
        "runAsNonRoot": [True, False],
        "allowPrivilegeEscalation": [False, True],
        "readOnlyRootFilesystem": [True],
        "capabilities": [{"drop": ["ALL"]}, {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}],
        "seccompProfile": [{"type": "RuntimeDefault"}, {"type": "Localhost"}, {"type": "Other"}],
        "procMount": ["Default", "Unmasked"],
    }, 0.15)  # fmt: skip


def _container_port(rng: Random) -> Json:
    return {"containerPort": rarely(rng, [80, 8080], [0, 70000])} | some(rng, {
        "name": ["http", "HTTP"], "protocol": ["TCP", "UDP"], "hostPort": [80],
    }, 0.2)  # fmt: skip


def _container(rng: Random) -> Json:
    name = rarely(rng, ["web", "side"], ["Web", "", "a" * 64], 0.02)
    found: Json = {"name": name}
    images = ["i:1", "i:latest", "i", "i@sha256:" + "a" * 64]
    found |= some(rng, {"image": lambda r: rarely(r, images, ["", " i"])}, 0.98)
    resources = {
        key: lambda r: some(r, {"cpu": quantity, "memory": quantity}
                            | ({"gpu": ["1"]} if r.random() < 0.02 else {}))
        for key in ("limits", "requests")
    }  # fmt: skip
    mounts = [{"name": "v", "mountPath": "/v"}, {"name": "v", "mountPath": "/w", "subPath": "a"},
              {"name": "v", "mountPath": "/v", "readOnly": True}]  # fmt: skip
    odd = [{"name": "nope", "mountPath": "/n"}, {"name": "v"}, {"name": "v", "mountPath": "/x",
           "subPath": "../a"}, {"name": "v", "mountPath": "a:b"}]  # fmt: skip
    return found | some(rng, {
        "env": lambda r: _distinct(r, _env, "name", 3),
        "ports": lambda r: _distinct(r, _container_port, "containerPort", 2),
        "resources": lambda r: some(r, resources),
        "command": [["sh"], []],
        "args": [["-c", "true"]],
        "readinessProbe": _probe,
        "livenessProbe": _probe,
        "startupProbe": _probe,
        "securityContext": _context,
        "imagePullPolicy": lambda r: rarely(r, ["Always", "IfNotPresent", "Never"], ["Often"]),
        "volumeMounts": lambda r: _distinct(r, lambda q: rarely(q, mounts, odd), "mountPath", 2),
        "envFrom": [[{"secretRef": {"name": "s"}}],
                    [{"configMapRef": {"name": "c"}, "prefix": "P_"}], [{}]],
        "workingDir": ["/w"],
        "terminationMessagePolicy": ["File", "FallbackToLogsOnError", "X"],
        "lifecycle": [{"preStop": {"exec": {"command": ["true"]}}}, {"preStop": {}},
                      {"preStop": {"sleep": {"seconds": 3}}}],
    }, 0.2)  # fmt: skip


def template(rng: Random, labels: Json, restart: list[str]) -> Json:
    """Return a pod template; a volume ``v`` is there for its mounts."""
    volumes = [{"emptyDir": {}}, {"emptyDir": {"sizeLimit": "1Gi", "medium": "Memory"}},
               {"secret": {"secretName": "s"}}, {"configMap": {"name": "c", "defaultMode": 256}},
               {"configMap": {"name": "c", "items": [{"key": "a", "path": "b"}]}},
               {"persistentVolumeClaim": {"claimName": "p"}},
               {"projected": {"sources": [{"secret": {"name": "s"}}]}},
               {"hostPath": {"path": "/h"}}, {"downwardAPI": {"items": []}}]  # fmt: skip
    odd = [{}, {"secret": {}}, {"emptyDir": {}, "secret": {"secretName": "s"}},
           {"configMap": {"name": "c", "defaultMode": 9999}}, {"persistentVolumeClaim": {}},
           {"configMap": {"name": "c", "items": [{"key": "a", "path": "../b"}]}}]  # fmt: skip
    spec: Json = {
        "containers": _distinct(rng, _container, "name", 2) or [_container(rng)],
        "volumes": [{"name": "v"} | rarely(rng, volumes, odd, 0.04)],
    } | some(rng, {
        "restartPolicy": restart,
        "serviceAccountName": ["s"],
        "automountServiceAccountToken": [False],
        "enableServiceLinks": [False],
        "terminationGracePeriodSeconds": lambda r: rarely(r, [5, 60], [-1]),
        "securityContext": [{"runAsNonRoot": True},
                            {"fsGroup": 33, "fsGroupChangePolicy": "OnRootMismatch"},
                            {"seccompProfile": {"type": "RuntimeDefault"}}, {}],
        "initContainers": lambda r: [_container(r) | {"name": "init"}],
        "nodeSelector": [{"a": "b"}, {"a b": "c"}],
        "tolerations": [[{"key": "a", "operator": "Exists"}],
                        [{"operator": "Equal", "value": "x"}]],
        "hostNetwork": [True, False],
        "hostUsers": [False],
        "dnsPolicy": ["ClusterFirst", "Default", "Odd"],
        "imagePullSecrets": [[{"name": "s"}], [{}]],
        "topologySpreadConstraints": [[{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname",
                                        "whenUnsatisfiable": "ScheduleAnyway",
                                        "labelSelector": {"matchLabels": labels}}]],
        "affinity": [{"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 1, "podAffinityTerm": {"topologyKey": "zone",
                                              "labelSelector": {"matchLabels": labels}}}]}}],
        "priorityClassName": ["p"],
        "schedulerName": ["s"],
        "activeDeadlineSeconds": [30],
    }, 0.1)  # fmt: skip
    return {"metadata": {"labels": labels} | some(rng, {"annotations": [{"a": "b"}]}, 0.2),
            "spec": spec}  # fmt: skip


def _labels(rng: Random) -> tuple[Json, Json]:
    """Return a selector and the labels of its template."""
    selector = {"app": "web"}
    labels = rarely(rng, [{"app": "web"}, {"app": "web", "x": "y"}], [{"app": "db"}, {}], 0.03)
    return rarely(
        rng, [{"matchLabels": selector}], [{}, {"matchLabels": {"app": "db"}}], 0.03
    ), labels


def deployment(rng: Random) -> Json:
    selector, labels = _labels(rng)
    spec = some(rng, {
        "paused": [True, False],
        "minReadySeconds": lambda r: rarely(r, [0, 5], [-1]),
        "progressDeadlineSeconds": lambda r: rarely(r, [600, 30], [3]),
        "revisionHistoryLimit": lambda r: rarely(r, [0, 3], [-1]),
        "strategy": lambda r: rarely(r, [
            {"type": "Recreate"}, {"type": "RollingUpdate"},
            {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": "50%"}},
        ], [{"type": "Blue"}, {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}},
            {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}},
            {"rollingUpdate": {"maxSurge": "x"}}, {}], 0.1),
    }, 0.2)  # fmt: skip
    spec |= {"replicas": rarely(rng, [0], [-1], 0.02), "selector": selector}
    spec |= some(rng, {"replcas": [1]}, 0.02)
    return {"spec": spec | {"template": template(rng, labels, ["Always", "Always", "Never"])}}


def stateful_set(rng: Random) -> Json:
    selector, labels = _labels(rng)
    claims = lambda r: [{"metadata": {"name": rarely(r, ["data"], ["Data", "v"])},  # noqa: E731
                         "spec": claim_spec(r)}]  # fmt: skip
    spec = some(rng, {
        "serviceName": ["db"],
        "podManagementPolicy": lambda r: rarely(r, ["OrderedReady", "Parallel"], ["Odd"]),
        "updateStrategy": lambda r: rarely(r, [
            {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}, {"type": "OnDelete"}],
            [{"type": "Odd"}, {"type": "OnDelete", "rollingUpdate": {"partition": 1}}]),
        "volumeClaimTemplates": claims,
        "persistentVolumeClaimRetentionPolicy": lambda r: rarely(
            r, [{"whenDeleted": "Delete"}, {"whenScaled": "Retain"}], [{"whenDeleted": "Odd"}]),
        "minReadySeconds": [0, 5],
        "revisionHistoryLimit": [3],
        "ordinals": [{"start": 1}, {"start": -1}],
    }, 0.25)  # fmt: skip
    spec |= {"replicas": rarely(rng, [0], [-1], 0.02), "selector": selector}
    return {"spec": spec | {"template": template(rng, labels, ["Always", "Always", "Never"])}}


def cron_job(rng: Random) -> Json:
    job = {"template": template(rng, {"app": "job"}, ["OnFailure", "Never"])}
    job["template"]["spec"].setdefault("restartPolicy", rarely(rng, ["Never"], ["Always"], 0.03))
    job |= some(rng, {
        "backoffLimit": lambda r: rarely(r, [0, 3], [-1]),
        "activeDeadlineSeconds": lambda r: rarely(r, [60], [-1]),
        "ttlSecondsAfterFinished": [60],
        "completions": [1],
        "parallelism": [1],
    }, 0.25)  # fmt: skip
    spec = some(rng, {
        "concurrencyPolicy": lambda r: rarely(r, ["Forbid", "Replace"], ["Odd"]),
        "startingDeadlineSeconds": lambda r: rarely(r, [60], [-1]),
        "successfulJobsHistoryLimit": lambda r: rarely(r, [0, 1], [-1]),
        "failedJobsHistoryLimit": [1],
        "timeZone": lambda r: rarely(r, ["Etc/UTC"], ["Nowhere/At all", ""]),
    }, 0.25)  # fmt: skip
    schedule = rarely(rng, ["*/5 * * * *", "@hourly", "0 3 * * 1-5"],
                      ["", "often", "* * * *", "61 * * * *", "TZ=UTC * * * * *"])  # fmt: skip
    return {"spec": spec | {"schedule": schedule, "suspend": True, "jobTemplate": {"spec": job}}}
