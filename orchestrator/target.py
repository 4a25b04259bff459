"""Which cluster the service talks to, decided once and before anything is contacted.

The order is part of the contract: the named kubeconfig, the in-cluster account, a kubeconfig
context on this machine, the embedded sandbox. A context that points elsewhere is never used by
accident, and a configured cluster that does not answer never turns into the sandbox.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import yaml

from orchestrator.model.errors import SettingsError
from orchestrator.settings import Settings

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


@dataclass(frozen=True)
class ClusterChoice:
    """The chosen cluster. ``kubeconfig`` may be several files joined as in ``KUBECONFIG``."""

    kind: Literal["sandbox", "kubeconfig", "in-cluster"]
    description: str
    kubeconfig: Path | None = None
    context: str | None = None


def choose(settings: Settings, environ: Mapping[str, str]) -> ClusterChoice:
    """Return the cluster to use, or raise SettingsError with one line that says what to do."""
    if settings.cluster == "sandbox":
        if settings.kubeconfig is not None:
            raise SettingsError(
                f"URUMI_KUBECONFIG={settings.kubeconfig} names a cluster but URUMI_CLUSTER=sandbox "
                "asks for the sandbox: unset one of them"
            )
        return _sandbox()
    if settings.kubeconfig is not None:
        return _named(settings.kubeconfig, "URUMI_KUBECONFIG")
    if settings.cluster == "in-cluster" or (settings.cluster == "auto" and _inside(environ)):
        return _in_cluster(environ)
    return _from_default(settings, environ)


def _sandbox() -> ClusterChoice:
    return ClusterChoice("sandbox", "the embedded sandbox (a simulation)")


def _inside(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("KUBERNETES_SERVICE_HOST")) and SERVICE_ACCOUNT.exists()


def _in_cluster(environ: Mapping[str, str]) -> ClusterChoice:
    if not _inside(environ):
        raise SettingsError(
            "URUMI_CLUSTER=in-cluster, but this process has no service account: "
            "run it in a pod, or use kubeconfig or sandbox"
        )
    return ClusterChoice("in-cluster", "the cluster that this pod runs in")


def _from_default(settings: Settings, environ: Mapping[str, str]) -> ClusterChoice:
    named = environ.get("KUBECONFIG")
    path = Path(named) if named else Path(environ.get("HOME", "~")).expanduser() / ".kube/config"
    files = [Path(part) for part in str(path).split(os.pathsep) if part and Path(part).exists()]
    if not files and not named and settings.cluster == "auto":
        return _sandbox()
    # Somebody looked at the sandbox with kubectl in this shell: that is no other cluster.
    own = settings.sandbox_dir / "kubeconfig"
    if files and own.exists() and files[0].samefile(own) and settings.cluster == "auto":
        return _sandbox()
    variable = "KUBECONFIG" if named else "~/.kube/config"
    config = _merged(path, variable)
    if not config.get("current-context") and settings.cluster == "auto":
        return _sandbox()
    choice = _named(path, variable, config)
    if settings.cluster == "auto" and not _is_local(_server(config)):
        raise SettingsError(
            f"{variable}: context {choice.context!r} points to {_server(config)}, which is not "
            "this machine: set URUMI_CLUSTER=kubeconfig to use it, or URUMI_CLUSTER=sandbox"
        )
    return choice


def _named(path: Path, variable: str, config: dict[str, Any] | None = None) -> ClusterChoice:
    config = _merged(path, variable) if config is None else config
    context = config.get("current-context")
    if not context or not _server(config):
        raise SettingsError(f"{variable}={path}: it has no current context with a server")
    description = f"{_server(config)} (context {context} of {path})"
    return ClusterChoice("kubeconfig", description, path, str(context))


def _merged(path: Path, variable: str) -> dict[str, Any]:
    """Merge the files as kubectl does: the first to name something wins."""
    merged: dict[str, Any] = {"contexts": [], "clusters": []}
    found = False
    for part in filter(None, str(path).split(os.pathsep)):
        if not Path(part).exists():
            continue
        found = True
        data = _read(Path(part), variable)
        merged.setdefault("current-context", data.get("current-context") or None)
        merged["current-context"] = merged["current-context"] or data.get("current-context")
        for key in ("contexts", "clusters"):
            merged[key] += [e for e in data.get(key) or [] if isinstance(e, dict)]
    if not found:
        raise SettingsError(
            f"{variable}={path}: there is no such file; name another by URUMI_KUBECONFIG, "
            "or set URUMI_CLUSTER=sandbox"
        )
    return merged


def _read(path: Path, variable: str) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise SettingsError(f"{variable}={path}: not a readable kubeconfig") from exc
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise SettingsError(f"{variable}={path}: not a kubeconfig")
    return data


def _server(config: dict[str, Any]) -> str:
    context = _entry(config["contexts"], config.get("current-context")).get("context") or {}
    cluster = _entry(config["clusters"], context.get("cluster")).get("cluster") or {}
    return str(cluster.get("server") or "")


def _entry(entries: list[dict[str, Any]], name: object) -> dict[str, Any]:
    return next((e for e in entries if e.get("name") == name), {})


def _is_local(server: str) -> bool:
    host = urlsplit(server).hostname or ""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # k3d writes 0.0.0.0, the address on which its load balancer listens on this machine.
    return address.is_loopback or address.is_unspecified
