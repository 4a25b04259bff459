"""How a kubeconfig lets one in: enough of its format for test clusters."""

from __future__ import annotations

import base64
import ssl
import tempfile
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.contract.wire import Target

Json = dict[str, Any]


_UNUSABLE: Final = (
    OSError, ValueError, LookupError, TypeError, AttributeError, StopIteration, yaml.YAMLError,
)  # fmt: skip


def target_of(path: Path) -> Target:
    """Return the API server of a kubeconfig's current context. Errors: pytest.UsageError."""
    try:
        return _target_of(path)
    except _UNUSABLE as exc:
        raise pytest.UsageError(f"{path} is no usable kubeconfig: {exc!r}") from exc


def _target_of(path: Path) -> Target:
    config = yaml.safe_load(path.read_text())
    context = _named(config["contexts"], config["current-context"])["context"]
    server = _named(config["clusters"], context["cluster"])["cluster"]
    user = _named(config["users"], context["user"]).get("user", {})
    if "exec" in user:
        raise pytest.UsageError(f"{path}: give the suite a client certificate or a token, not exec")
    headers = {"authorization": f"Bearer {user['token']}"} if "token" in user else {}
    tls = _tls(server, user, path.parent) if server["server"].startswith("https") else None
    return Target(server["server"], path, tls, headers)


def _named(entries: list[Json], name: str) -> Json:
    return next(entry for entry in entries if entry["name"] == name)


def _tls(server: Json, user: Json, folder: Path) -> ssl.SSLContext:
    authority = _material(server, "certificate-authority", folder)
    context = ssl.create_default_context(cadata=authority.decode() if authority else None)
    if server.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate, key = (_material(user, n, folder) for n in ("client-certificate", "client-key"))
    if certificate and key:
        with tempfile.NamedTemporaryFile() as pem:
            pem.write(certificate + b"\n" + key)
            pem.flush()
            context.load_cert_chain(pem.name)
    return context


def _material(entry: Json, name: str, folder: Path) -> bytes | None:
    if f"{name}-data" in entry:
        return base64.b64decode(entry[f"{name}-data"])
    return (folder / entry[name]).read_bytes() if name in entry else None


def authority_of(path: Path, copy: Path) -> Path | None:
    """Write the certificate authority of a kubeconfig's cluster to ``copy``; None without one."""
    config = yaml.safe_load(path.read_text())
    context = _named(config["contexts"], config["current-context"])["context"]
    server = _named(config["clusters"], context["cluster"])["cluster"]
    authority = _material(server, "certificate-authority", path.parent)
    if authority is None:
        return None
    copy.write_bytes(authority)
    return copy
