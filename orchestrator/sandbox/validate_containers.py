"""Rules on the containers of a pod: names, images, ports, environment, mounts, probes."""

from __future__ import annotations

import posixpath

from orchestrator.sandbox import names
from orchestrator.sandbox.problems import Problems
from orchestrator.sandbox.quantity import value_of
from orchestrator.sandbox.values import Json

PROTOCOLS = ("SCTP", "TCP", "UDP")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_CONTAINER_RESOURCES = tuple(
    f"{part}.{name}" for part in ("limits", "requests") for name in
    ("cpu", "ephemeral-storage", "memory")
)  # fmt: skip
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_STANDARD = ("cpu", "memory", "ephemeral-storage")
_POD_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels",
    "metadata.annotations", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
    "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip


def container(problems: Problems, field: str, found: Json, volumes: set[str]) -> None:
    """Check one container; ``volumes`` are the names that it may mount."""
    if not found.get("image"):
        problems.required(f"{field}.image")
    ports(problems, f"{field}.ports", found.get("ports") or [])
    _environment(problems, field, found)
    _mounts(problems, f"{field}.volumeMounts", found.get("volumeMounts") or [], volumes)
    problems.one_of(
        f"{field}.imagePullPolicy",
        found.get("imagePullPolicy"),
        ("Always", "IfNotPresent", "Never"),
    )
    _resources(problems, f"{field}.resources", found.get("resources") or {})
    _security(problems, f"{field}.securityContext", found.get("securityContext") or {})
    problems.one_of(
        f"{field}.terminationMessagePolicy",
        found.get("terminationMessagePolicy"),
        ("File", "FallbackToLogsOnError"),
    )


def images(problems: Problems, field: str, found: list[Json]) -> None:
    """Check what is asked of the images of pods, though not of those of templates."""
    for number, container in enumerate(found):
        image = container.get("image", "")
        if image != image.strip():
            why = "must not have leading or trailing whitespace"
            problems.invalid(f"{field}[{number}].image", image, why)


def host_ports(problems: Problems, field: str, found: list[Json]) -> None:
    """Check that no two containers want the same port of the node."""
    seen: set[str] = set()
    for number, container in enumerate(found):
        for at, port in enumerate(container.get("ports") or []):
            if not port.get("hostPort"):
                continue
            key = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
            if key in seen:
                problems.duplicate(f"{field}[{number}].ports[{at}].hostPort", key)
            seen.add(key)


def node_ports(problems: Problems, field: str, found: list[Json]) -> None:
    """Check the ports of a pod that has the network of its node."""
    for number, container in enumerate(found):
        for at, port in enumerate(container.get("ports") or []):
            wanted = port.get("hostPort")
            if wanted and wanted != port.get("containerPort"):
                why = "must match `containerPort` when `hostNetwork` is true"
                problems.invalid(f"{field}[{number}].ports[{at}].hostPort", wanted, why)


def probes(problems: Problems, field: str, found: Json) -> None:
    """Check the probes and hooks of a main container."""
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in found:
            _probe(problems, f"{field}.{name}", found[name], once=name != "readinessProbe")
    grace = found.get("readinessProbe", {}).get("terminationGracePeriodSeconds")
    if grace is not None:
        here = f"{field}.readinessProbe.terminationGracePeriodSeconds"
        problems.invalid(here, grace, "must not be set for readinessProbes")
    for name in ("postStart", "preStop"):
        hook = (found.get("lifecycle") or {}).get(name)
        if hook is not None:
            _handler(problems, f"{field}.lifecycle.{name}", hook)


def ports(problems: Problems, field: str, found: list[Json]) -> None:
    """Check container ports."""
    seen: set[str] = set()
    for number, port in enumerate(found):
        here = f"{field}[{number}]"
        name = port.get("name")
        if name:
            wrong = names.port_name(name)
            problems.by_rule(f"{here}.name", name, names.port_name)
            if not wrong and name in seen:
                problems.duplicate(f"{here}.name", name)
            seen.add(name)
        if not port.get("containerPort"):
            problems.required(f"{here}.containerPort")
        else:
            problems.port(f"{here}.containerPort", port["containerPort"])
        if port.get("hostPort"):
            problems.port(f"{here}.hostPort", port["hostPort"])
        problems.one_of(f"{here}.protocol", port.get("protocol"), PROTOCOLS)


def _environment(problems: Problems, field: str, found: Json) -> None:
    for number, entry in enumerate(found.get("env") or []):
        here = f"{field}.env[{number}]"
        if not entry.get("name"):
            problems.required(f"{here}.name")
        else:
            problems.by_rule(f"{here}.name", entry["name"], names.environment)
        if "valueFrom" in entry:
            _value_from(problems, f"{here}.valueFrom", entry)
    for entry in found.get("envFrom") or []:
        if "configMapRef" not in entry and "secretRef" not in entry:
            why = "must specify one of: `configMapRef` or `secretRef`"
            problems.invalid(f"{field}.envFrom", "", why)


def _value_from(problems: Problems, field: str, entry: Json) -> None:
    source = entry["valueFrom"]
    used = [name for name in _SOURCES if name in source]
    if not used:
        options = ", ".join(f"`{name}`" for name in _SOURCES[:-1])
        problems.invalid(field, "", f"must specify one of: {options} or `{_SOURCES[-1]}`")
    elif entry.get("value"):
        problems.invalid(field, "", "may not be specified when `value` is not empty")
    elif len(used) > 1:
        problems.invalid(field, "", "may not have more than one field specified at a time")
    for name in used:
        reference = source[name]
        if name in ("configMapKeyRef", "secretKeyRef"):
            problems.by_rule(f"{field}.{name}.name", reference.get("name", ""), names.subdomain)
            if not reference.get("key"):
                problems.required(f"{field}.{name}.key")
            else:
                problems.by_rule(f"{field}.{name}.key", reference["key"], names.config_key)
        elif name == "fieldRef":
            field_path(problems, f"{field}.fieldRef.fieldPath", reference.get("fieldPath", ""))
        elif name == "resourceFieldRef":
            _resource_field(problems, f"{field}.resourceFieldRef.resource", reference)


def _resource_field(problems: Problems, field: str, reference: Json) -> None:
    wanted = reference.get("resource", "")
    if not wanted:
        problems.required(field)
    elif not wanted.startswith(("limits.hugepages-", "requests.hugepages-")):
        problems.one_of(field, wanted, _CONTAINER_RESOURCES)


def field_path(problems: Problems, field: str, path: str) -> None:
    """Check a reference to a field of the pod."""
    if not path:
        problems.required(field)
    elif path.partition("[")[0] not in _POD_FIELDS:
        why = f"error converting fieldPath: field label not supported: {path}"
        problems.invalid(field, path, why)


def _mounts(problems: Problems, field: str, mounts: list[Json], volumes: set[str]) -> None:
    seen: set[str] = set()
    for number, mount in enumerate(mounts):
        here = f"{field}[{number}]"
        name, path = mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            problems.required(f"{here}.name")
        if name not in volumes:
            problems.missing(f"{here}.name", name)
        if not path:
            problems.required(f"{here}.mountPath")
        elif path in seen:
            problems.invalid(f"{here}.mountPath", path, "must be unique")
        seen.add(path)
        sub = mount.get("subPath", "")
        if posixpath.isabs(sub):
            problems.invalid(f"{field}.subPath", sub, "must be a relative path")
        elif ".." in sub.split("/"):
            problems.invalid(f"{field}.subPath", sub, "must not contain '..'")


def _resources(problems: Problems, field: str, resources: Json) -> None:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for part, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            here = f"{field}.{part}[{name}]"
            if name not in _STANDARD and "/" not in name and not name.startswith("hugepages-"):
                problems.invalid(here, name, "must be a standard resource type or fully qualified")
                problems.invalid(here, name, "must be a standard resource for containers")
            if value_of(amount) < 0:
                problems.invalid(here, amount, "must be greater than or equal to 0")
    for name, amount in requests.items():
        if name in limits and value_of(amount) > value_of(limits[name]):
            why = f"must be less than or equal to {name} limit of {limits[name]}"
            problems.invalid(f"{field}.requests", amount, why)
        elif name not in limits and "/" in name and "kubernetes.io/" not in name:
            problems.required(
                f"{field}.limits", "Limit must be set for non overcommitable resources"
            )


def _security(problems: Problems, field: str, context: Json) -> None:
    problems.user_id(context, field, "runAsUser", "runAsGroup")
    seccomp(problems, field, context)
    capabilities = (context.get("capabilities") or {}).get("add") or []
    if context.get("allowPrivilegeEscalation") is False:
        if context.get("privileged"):
            why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            problems.invalid(field, context, why)
        if "SYS_ADMIN" in capabilities or "CAP_SYS_ADMIN" in capabilities:
            why = (
                "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` "
                "CAP_SYS_ADMIN"
            )
            problems.invalid(field, context, why)


def seccomp(problems: Problems, field: str, context: Json) -> None:
    """Check a seccomp profile."""
    profile = context.get("seccompProfile")
    if profile is not None:
        kinds = ("Localhost", "RuntimeDefault", "Unconfined")
        problems.one_of(f"{field}.seccompProfile.type", profile.get("type", ""), kinds)
        if profile.get("type") == "Localhost" and not profile.get("localhostProfile"):
            problems.required(
                f"{field}.seccompProfile.localhostProfile",
                "must be set when seccomp type is Localhost",
            )


def _probe(problems: Problems, field: str, probe: Json, *, once: bool) -> None:
    _handler(problems, field, probe)
    problems.not_negative(
        probe,
        field,
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    )
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        problems.invalid(f"{field}.terminationGracePeriodSeconds", grace, "must be greater than 0")
    if once and probe.get("successThreshold", 1) != 1:
        problems.invalid(f"{field}.successThreshold", probe["successThreshold"], "must be 1")


def _handler(problems: Problems, field: str, handler: Json) -> None:
    used = [name for name in _HANDLERS if name in handler]
    if not used:
        problems.required(field, "must specify a handler type")
    for name in used[1:]:
        problems.forbidden(f"{field}.{name}", "may not specify more than 1 handler type")
    for name in used[:1]:
        part = handler[name]
        if name == "sleep":
            continue
        if name == "exec":
            if not part.get("command"):
                problems.required(f"{field}.exec.command")
            continue
        if name == "httpGet" and not part.get("path"):
            problems.required(f"{field}.httpGet.path")
        port = part.get("port")
        if isinstance(port, str):
            problems.by_rule(f"{field}.{name}.port", port, names.port_name)
        else:
            problems.port(f"{field}.{name}.port", port)
