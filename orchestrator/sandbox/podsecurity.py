"""Pod Security admission: levels ``baseline`` and ``restricted``, enforced or warned about.

Follows ``k8s.io/pod-security-admission`` (the checks of its newest policy version): the same
checks in the same order with the same words. Pods are refused; workloads that carry a pod
template only cause warnings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from orchestrator.sandbox import errors, resources
from orchestrator.sandbox.errors import FieldError
from orchestrator.sandbox.operation import Operation
from orchestrator.sandbox.pod_defaults import SOURCES
from orchestrator.sandbox.storage import Storage
from orchestrator.sandbox.values import Json, dig

PREFIX = "pod-security.kubernetes.io/"
_VERSION = re.compile(r"latest|v1\.\d+")
LEVELS = ("privileged", "baseline", "restricted")
Check = Callable[[Json], tuple[str, str] | None]
"""From a pod's spec to what is forbidden and the detail, or None."""

_TEMPLATES = {
    "Deployment": ("spec", "template", "spec"),
    "ReplicaSet": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
_CAPABILITIES = frozenset(
    ("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
     "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT")
)  # fmt: skip
_VOLUMES = frozenset(
    ("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim",
     "projected", "secret")
)  # fmt: skip
_SYSCTLS = frozenset(
    ("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range",
     "net.ipv4.ip_unprivileged_port_start",
     "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
     "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
     "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem")
)  # fmt: skip


_SE_LINUX_TYPES = (
    "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"
)  # fmt: skip


def _containers(spec: Json) -> Iterator[Json]:
    for key in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(key) or ()


def _context(part: Json) -> Json:
    return part.get("securityContext") or {}


def _quoted(items: list[str]) -> str:
    return ", ".join(f'"{item}"' for item in items)


def _named(word: str, found: list[str]) -> str:
    return f"{word if len(found) == 1 else word + 's'} {_quoted(found)}"


def _bad(spec: Json, test: Callable[[Json], bool]) -> list[str]:
    return [c["name"] for c in _containers(spec) if test(c)]


def _baseline_capabilities(spec: Json) -> tuple[str, str] | None:
    def extra(container: Json) -> set[str]:
        return set(dig(_context(container), "capabilities", "add") or []) - _CAPABILITIES

    bad = _bad(spec, lambda c: bool(extra(c)))
    if not bad:
        return None
    names = sorted(set().union(*(extra(c) for c in _containers(spec))))
    where = "securityContext.capabilities.add"
    detail = f"{_named('container', bad)} must not include {_quoted(names)} in {where}"
    return "non-default capabilities", detail


def _host_namespaces(spec: Json) -> tuple[str, str] | None:
    bad = [f"{key}=true" for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key)]
    return ("host namespaces", ", ".join(bad)) if bad else None


def _host_paths(spec: Json) -> tuple[str, str] | None:
    bad = [v["name"] for v in spec.get("volumes") or () if "hostPath" in v]
    return ("hostPath volumes", _named("volume", bad)) if bad else None


def _host_ports(spec: Json) -> tuple[str, str] | None:
    def used(container: Json) -> set[str]:
        return {str(p["hostPort"]) for p in container.get("ports") or () if p.get("hostPort")}

    bad = _bad(spec, lambda c: bool(used(c)))
    if not bad:
        return None
    numbers = sorted(set().union(*(used(c) for c in _containers(spec))))
    uses = "uses" if len(bad) == 1 else "use"
    word = "hostPort" if len(numbers) == 1 else "hostPorts"
    return "hostPort", f"{_named('container', bad)} {uses} {word} {', '.join(numbers)}"


def _privileged(spec: Json) -> tuple[str, str] | None:
    bad = _bad(spec, lambda c: bool(_context(c).get("privileged")))
    detail = f"{_named('container', bad)} must not set securityContext.privileged=true"
    return ("privileged", detail) if bad else None


def _proc_mount(spec: Json) -> tuple[str, str] | None:
    if spec.get("hostUsers") is False:
        return None
    bad = _bad(spec, lambda c: _context(c).get("procMount", "Default") != "Default")
    if not bad:
        return None
    kinds = sorted({str(_context(c)["procMount"]) for c in _containers(spec) if c["name"] in bad})
    what = f"must not set securityContext.procMount to {_quoted(kinds)}"
    return "procMount", f"{_named('container', bad)} {what}"


def _app_armor(spec: Json) -> tuple[str, str] | None:
    good = (None, "RuntimeDefault", "Localhost")
    setters = ["pod"] if dig(_context(spec), "appArmorProfile", "type") not in good else []
    bad = _bad(spec, lambda c: dig(_context(c), "appArmorProfile", "type") not in good)
    if bad:
        setters.append(_named("container", bad))
    if not setters:
        return None
    what = 'must not set AppArmor profile type to "Unconfined"'
    return "forbidden AppArmor profile", f"{' and '.join(setters)} {what}"


def _probe_hosts(spec: Json) -> tuple[str, str] | None:
    def hosts(container: Json) -> set[str]:
        parts = [
            container.get(f"{name}Probe") or {} for name in ("liveness", "readiness", "startup")
        ]
        parts += [hook for hook in (container.get("lifecycle") or {}).values() if hook]
        actions = (part.get(kind) or {} for part in parts for kind in ("httpGet", "tcpSocket"))
        return {action["host"] for action in actions if action.get("host")}

    bad = _bad(spec, lambda c: bool(hosts(c)))
    if not bad:
        return None
    used = sorted(set().union(*(hosts(c) for c in _containers(spec))))
    words = f"{'use' if len(bad) > 1 else 'uses'} {_named('probe or lifecycle host', used)}"
    return "probe or lifecycle host", f"{_named('container', bad)} {words}"


def _se_linux(spec: Json) -> tuple[str, str] | None:
    def wrong(part: Json) -> Json:
        options = _context(part).get("seLinuxOptions") or {}
        allowed = options.get("type", "") in _SE_LINUX_TYPES
        return {k: options[k] for k in ("type", "user", "role")
                if options.get(k) and not (k == "type" and allowed)}  # fmt: skip

    setters = ["pod"] if wrong(spec) else []
    bad = _bad(spec, lambda c: bool(wrong(c)))
    if bad:
        setters.append(_named("container", bad))
    found = [wrong(part) for part in (spec, *_containers(spec))]
    types = sorted({part["type"] for part in found if "type" in part})
    said = [_named("type", types)] if types else []
    said += [f"{key} may not be set" for key in ("user", "role") if any(key in p for p in found)]
    if not setters:
        return None
    verb = "set forbidden securityContext.seLinuxOptions"
    return "seLinuxOptions", f"{' and '.join(setters)} {verb}: {'; '.join(said)}"


def _seccomp_type(part: Json) -> str | None:
    found: str | None = dig(_context(part), "seccompProfile", "type")
    return found


def _unconfined(spec: Json) -> tuple[str, str] | None:
    """Return the violation of an explicit bad profile; baseline asks for no more."""
    good = (None, "Localhost", "RuntimeDefault")
    setters, values = [], set()
    if _seccomp_type(spec) not in good:
        setters.append("pod")
        values.add(str(_seccomp_type(spec)))
    bad = _bad(spec, lambda c: _seccomp_type(c) not in good)
    if bad:
        setters.append(_named("container", bad))
        values |= {str(_seccomp_type(c)) for c in _containers(spec) if c["name"] in bad}
    if not setters:
        return None
    what = f"must not set securityContext.seccompProfile.type to {_quoted(sorted(values))}"
    return "seccompProfile", f"{' and '.join(setters)} {what}"


def _sysctls(spec: Json) -> tuple[str, str] | None:
    found = [s["name"] for s in _context(spec).get("sysctls") or ()]
    bad = sorted(set(found) - _SYSCTLS)
    return ("forbidden sysctls", ", ".join(bad)) if bad else None


def _escalation(spec: Json) -> tuple[str, str] | None:
    bad = _bad(spec, lambda c: _context(c).get("allowPrivilegeEscalation") is not False)
    detail = f"{_named('container', bad)} must set securityContext.allowPrivilegeEscalation=false"
    return ("allowPrivilegeEscalation != false", detail) if bad else None


def _restricted_capabilities(spec: Json) -> tuple[str, str] | None:
    def part(container: Json, key: str) -> set[str]:
        return set(dig(_context(container), "capabilities", key) or [])

    keeping = _bad(spec, lambda c: "ALL" not in part(c, "drop"))
    adding = _bad(spec, lambda c: bool(part(c, "add") - {"NET_BIND_SERVICE"}))
    details = []
    if keeping:
        what = 'must set securityContext.capabilities.drop=["ALL"]'
        details.append(f"{_named('container', keeping)} {what}")
    if adding:
        names = set().union(*(part(c, "add") for c in _containers(spec))) - {"NET_BIND_SERVICE"}
        where = "securityContext.capabilities.add"
        found = _quoted(sorted(names))
        details.append(f"{_named('container', adding)} must not include {found} in {where}")
    return ("unrestricted capabilities", "; ".join(details)) if details else None


def _restricted_volumes(spec: Json) -> tuple[str, str] | None:
    bad, kinds = [], set()
    for volume in spec.get("volumes") or ():
        found = [key for key in SOURCES if key in volume]
        if not _VOLUMES & set(found):
            bad.append(volume["name"])
            kinds.add(found[0] if found else "unknown")
    if not bad:
        return None
    uses = "uses" if len(bad) == 1 else "use"
    word = "restricted volume type" if len(kinds) == 1 else "restricted volume types"
    detail = f"{_named('volume', bad)} {uses} {word} {_quoted(sorted(kinds))}"
    return "restricted volume types", detail


def _root(spec: Json) -> tuple[str, str] | None:
    if spec.get("hostUsers") is False:
        return None
    pod = _context(spec).get("runAsNonRoot")
    setters = ["pod"] if pod is False else []
    explicit = _bad(spec, lambda c: _context(c).get("runAsNonRoot") is False)
    if explicit:
        setters.append(_named("container", explicit))
    if setters:
        what = "must not set securityContext.runAsNonRoot=false"
        return "runAsNonRoot != true", f"{' and '.join(setters)} {what}"
    implicit = _bad(spec, lambda c: pod is not True and _context(c).get("runAsNonRoot") is None)
    detail = f"pod or {_named('container', implicit)} must set securityContext.runAsNonRoot=true"
    return ("runAsNonRoot != true", detail) if implicit else None


def _root_user(spec: Json) -> tuple[str, str] | None:
    if spec.get("hostUsers") is False:
        return None
    setters = ["pod"] if _context(spec).get("runAsUser") == 0 else []
    bad = _bad(spec, lambda c: _context(c).get("runAsUser") == 0)
    if bad:
        setters.append(_named("container", bad))
    return ("runAsUser=0", f"{' and '.join(setters)} must not set runAsUser=0") if setters else None


def _restricted_seccomp(spec: Json) -> tuple[str, str] | None:
    explicit = _unconfined(spec)
    if explicit is not None:
        return explicit
    pod = _seccomp_type(spec)
    bad = _bad(spec, lambda c: pod is None and _seccomp_type(c) is None)
    what = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return ("seccompProfile", f"pod or {_named('container', bad)} {what}") if bad else None


_COMMON: tuple[Check, ...] = (_host_namespaces,)
_BASELINE: tuple[Check, ...] = (
    _app_armor, _baseline_capabilities, *_COMMON, _host_paths, _host_ports, _probe_hosts,
    _privileged, _proc_mount, _se_linux, _unconfined, _sysctls,
)  # fmt: skip
_RESTRICTED: tuple[Check, ...] = (
    _app_armor, *_COMMON, _host_ports, _probe_hosts, _privileged, _proc_mount, _se_linux,
    _sysctls, _escalation,
    _restricted_capabilities, _restricted_volumes, _root, _root_user, _restricted_seccomp,
)  # fmt: skip


def violations(level: str, spec: Json) -> str:
    """Return what a level forbids of a pod's spec; empty when it is allowed."""
    found = _violations(level, spec)
    return ", ".join(f"{reason} ({detail})" if detail else reason for reason, detail in found)


def _violations(level: str, spec: Json) -> list[tuple[str, str]]:
    checks = {"baseline": _BASELINE, "restricted": _RESTRICTED}.get(level, ())
    return [result for result in (check(spec) for check in checks) if result is not None]


def _policy(labels: Mapping[str, str], mode: str) -> tuple[str, str]:
    """Return level and version of a mode; warning defaults to what is enforced."""
    level = labels.get(f"{PREFIX}{mode}")
    version = labels.get(f"{PREFIX}{mode}-version", "latest")
    if level is None and mode == "warn":
        return _policy(labels, "enforce")
    return (level if level in LEVELS else "privileged"), version


def check_labels(operation: Operation) -> list[FieldError]:
    """Return what is wrong with the Pod Security labels of a namespace."""
    labels = operation.new["metadata"].get("labels") or {}
    found = []
    for mode in ("enforce", "audit", "warn"):
        key = f"{PREFIX}{mode}"
        if key in labels and labels[key] not in LEVELS:
            message = f'Invalid value: "{labels[key]}": must be one of {", ".join(LEVELS)}'
            found.append(FieldError(f"metadata.labels[{key}]", message))
        version = labels.get(f"{key}-version", "latest")
        if not _VERSION.fullmatch(version):
            message = f'Invalid value: "{version}": must be "latest" or "v1.x"'
            found.append(FieldError(f"metadata.labels[{key}-version]", message))
    return found


def _warn_of_pods(storage: Storage, operation: Operation) -> None:
    """Warn of the pods that are there already when a namespace begins to enforce more."""
    if operation.old is None or operation.options.subresource:
        return
    before, after = (
        _policy(obj["metadata"].get("labels") or {}, "enforce")
        for obj in (operation.old, operation.new)
    )
    milder = LEVELS.index(after[0]) <= LEVELS.index(before[0]) and after[1] == before[1]
    if milder or after[0] == "privileged":
        return
    level, version = after
    said: dict[str, list[str]] = {}
    for pod in storage.items(resources.of("Pod"), operation.name):
        if reasons := ", ".join(reason for reason, _ in _violations(level, pod["spec"])):
            said.setdefault(reasons, []).append(pod["metadata"]["name"])
    if not said:
        return
    warnings = operation.options.warnings
    warnings.append(
        f'existing pods in namespace "{operation.name}" violate the new PodSecurity enforce '
        f'level "{level}:{version}"'
    )
    warnings.extend(sorted(_about(names, reasons) for reasons, names in said.items()))


def _about(names: list[str], reasons: str) -> str:
    names, more = sorted(names), len(names) - 1
    others = f" (and {more} other pod{'s' if more > 1 else ''})" if more else ""
    return f"{names[0]}{others}: {reasons}"


def check_pod_security(storage: Storage, operation: Operation) -> None:
    """Refuse a pod, or warn, as the labels of its namespace say; raises 403, 422."""
    kind, options = operation.resource.kind, operation.options
    if kind == "Namespace":
        wrong = check_labels(operation)
        if wrong:
            raise errors.invalid(operation.resource, operation.name, wrong)
        _warn_of_pods(storage, operation)
        return
    path = ("spec",) if kind == "Pod" else _TEMPLATES.get(kind)
    if path is None or options.subresource:
        return
    spec = dig(operation.new, *path) or {}
    if operation.old is not None and dig(operation.old, *path) == spec:
        return
    space = storage.get(resources.of("Namespace"), "", operation.namespace)
    labels = (space or {}).get("metadata", {}).get("labels") or {}
    if kind == "Pod":
        level, version = _policy(labels, "enforce")
        if wrong_pod := violations(level, spec):
            why = f'violates PodSecurity "{level}:{version}": {wrong_pod}'
            raise errors.forbidden(operation.resource, operation.name, why)
    level, version = _policy(labels, "warn")
    if warned := violations(level, spec):
        options.warnings.append(f'would violate PodSecurity "{level}:{version}": {warned}')
