"""Small manifests that the contract suite sends: the least that a real API server takes."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
IMAGE = "busybox:1.36"
STAY = ["sh", "-c", "trap exit TERM; sleep 3600 & wait"]


def configmap(name: str = "c", data: dict[str, str] | None = None, **meta: Any) -> Json:
    """A ConfigMap."""
    body: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name} | meta}
    return body | ({"data": data} if data is not None else {})


def container(name: str = "web", **fields: Any) -> Json:
    """A container."""
    return {"name": name, "image": IMAGE, "command": STAY} | fields


def safe_container(name: str = "web", **fields: Any) -> Json:
    """A container that Pod Security ``restricted`` lets in."""
    context = {
        "allowPrivilegeEscalation": False,
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    return container(name, securityContext=context, **fields)


def pod(name: str = "p", *containers: Json, **meta: Any) -> Json:
    """A Pod."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name} | meta,
        "spec": {"containers": list(containers) or [container()]},
    }


def template(*containers: Json, labels: Json | None = None) -> Json:
    """A pod template."""
    meta = {"labels": labels or {"app": "web"}}
    return {"metadata": meta, "spec": {"containers": list(containers) or [container()]}}


def deployment(name: str = "web", *containers: Json, replicas: int | None = 0) -> Json:
    """A Deployment, without pods unless asked for."""
    spec: Json = {
        "selector": {"matchLabels": {"app": "web"}},
        "template": template(*containers),
    }
    if replicas is not None:
        spec["replicas"] = replicas
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def statefulset(name: str = "db", replicas: int = 0) -> Json:
    """A StatefulSet with one claim a pod, without pods unless asked for."""
    claim = claim_of("data")
    del claim["apiVersion"], claim["kind"]
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name},
        "spec": {
            "serviceName": name,
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": template(labels={"app": name}),
            "volumeClaimTemplates": [claim],
        },
    }


def claim_of(name: str, storage_class: str | None = None) -> Json:
    """A PersistentVolumeClaim."""
    spec: Json = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }
    if storage_class is not None:
        spec["storageClassName"] = storage_class
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": spec,
    }


def service(name: str = "web", *ports: Json, **spec: Any) -> Json:
    """A Service."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": "web"}, "ports": list(ports) or [{"port": 80}]} | spec,
    }


def ingress(name: str = "web", *hosts: str, **spec: Any) -> Json:
    """An Ingress to Service ``web``."""
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    rules = [{"host": host, "http": {"paths": paths}} for host in hosts or ("a.example.com",)]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name},
        "spec": {"rules": rules} | spec,
    }


def quota(name: str = "q", **hard: str) -> Json:
    """A ResourceQuota."""
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": name},
        "spec": {"hard": {key.replace("__", ".").replace("_", "/"): v for key, v in hard.items()}},
    }
