"""Defaults of pods and of pod templates (``SetDefaults_Pod*`` and their parts)."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.sandbox.values import Json

SOURCES = tuple(
    "emptyDir hostPath gitRepo gcePersistentDisk awsElasticBlockStore secret nfs iscsi glusterfs "
    "flocker persistentVolumeClaim rbd cinder cephfs quobyte downwardAPI fc flexVolume configMap "
    "azureFile vsphereVolume photonPersistentDisk portworxVolume azureDisk storageos scaleIO "
    "projected csi ephemeral image".split()
)


def containers(spec: Json) -> Iterator[Json]:
    """Yield the containers of a pod, init containers first."""
    yield from spec.get("initContainers") or ()
    yield from spec.get("containers") or ()


def pod_defaults(obj: Json) -> None:
    """Fill in a Pod."""
    spec = obj["spec"]
    for container in containers(spec):
        resources = container.get("resources", {})
        if "limits" in resources:
            resources["requests"] = dict(resources["limits"]) | resources.get("requests", {})
    spec.setdefault("enableServiceLinks", True)
    if spec.get("hostNetwork"):
        for container in containers(spec):
            for port in container.get("ports") or ():
                port.setdefault("hostPort", port.get("containerPort", 0))
    pod_spec_defaults(spec)
    obj["status"].setdefault("phase", "Pending")


def pod_spec_defaults(spec: Json) -> None:
    """Fill in the spec of a pod or of a pod template."""
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("securityContext", {})
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("schedulerName", "default-scheduler")
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for container in (*containers(spec), *(spec.get("ephemeralContainers") or ())):
        _container(container)
    for volume in spec.get("volumes") or ():
        _volume(volume)


def _container(container: Json) -> None:
    container.setdefault("imagePullPolicy", pull_policy(container.get("image", "")))
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
    for entry in container.get("env") or ():
        _field_reference(entry.get("valueFrom", {}))
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            _probe(container[name])
    for hook in container.get("lifecycle", {}).values():
        if isinstance(hook, dict):
            _http_get(hook)


def pull_policy(image: str) -> str:
    """Return the pull policy of an image that does not say: Always for ``latest``."""
    if image != image.strip():  # which is no image's name, and so has no tag either
        return "IfNotPresent"
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return "Always" if (tag or ("" if digest else "latest")) == "latest" else "IfNotPresent"


def _probe(probe: Json) -> None:
    probe.setdefault("timeoutSeconds", 1)
    probe.setdefault("periodSeconds", 10)
    probe.setdefault("successThreshold", 1)
    probe.setdefault("failureThreshold", 3)
    if "grpc" in probe:
        probe["grpc"].setdefault("service", "")
    _http_get(probe)


def _http_get(handler: Json) -> None:
    if "httpGet" in handler:
        handler["httpGet"].setdefault("path", "/")
        handler["httpGet"].setdefault("scheme", "HTTP")


def _field_reference(source: Json) -> None:
    if "fieldRef" in source:
        source["fieldRef"].setdefault("apiVersion", "v1")


def _volume(volume: Json) -> None:
    if not set(SOURCES) & volume.keys():
        volume["emptyDir"] = {}
    for name in ("secret", "configMap", "downwardAPI", "projected"):
        if name in volume:
            volume[name].setdefault("defaultMode", 420)
    for item in volume.get("downwardAPI", {}).get("items") or ():
        _field_reference(item)
    _projected(volume.get("projected", {}))
    if "hostPath" in volume:
        volume["hostPath"].setdefault("type", "")
    if "image" in volume:
        volume["image"].setdefault("pullPolicy", pull_policy(volume["image"].get("reference", "")))
    if "ephemeral" in volume:
        claim = volume["ephemeral"].get("volumeClaimTemplate")
        if claim:
            claim["spec"].setdefault("volumeMode", "Filesystem")


def _projected(projected: Json) -> None:
    for source in projected.get("sources") or ():
        if "serviceAccountToken" in source:
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
        for item in source.get("downwardAPI", {}).get("items") or ():
            _field_reference(item)
