"""Keys and kubeconfigs of one control plane: made for it, and gone with its folder."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import trustme
import yaml

NAMES = ("localhost", "127.0.0.1", "kubernetes.default.svc", "10.96.0.1")


class Authority:
    """A certificate authority, and what it signed, as files in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True)
        self._folder = folder
        self._ca = trustme.CA(organization_name="urumi tests")
        self.certificate = folder / "ca.crt"
        self._ca.cert_pem.write_to_path(self.certificate)
        self.key = folder / "ca.key"
        self._ca.private_key_pem.write_to_path(self.key)
        # Service account tokens are signed by a key of their own.
        self.account_key = folder / "accounts.key"
        trustme.CA().private_key_pem.write_to_path(self.account_key)

    def serving(self, name: str) -> tuple[Path, Path]:
        """Return certificate and key of a server on this machine."""
        return self._write(name, self._ca.issue_cert(*NAMES))

    def client(self, user: str, group: str) -> User:
        """Return a user who is known by a certificate."""
        issued = self._ca.issue_cert("localhost", common_name=user, organization_name=group)
        certificate, key = self._write(user.replace(":", "-"), issued)
        return User(user, certificate=certificate, key=key)

    def _write(self, name: str, issued: trustme.LeafCert) -> tuple[Path, Path]:
        certificate, key = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        certificate.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(key)
        key.chmod(0o600)
        return certificate, key


@dataclass(frozen=True)
class User:
    """Who somebody is: by a client certificate, or by a bearer token."""

    name: str
    certificate: Path | None = None
    key: Path | None = None
    token: str | None = None

    def kubeconfig(self, server: str, authority: Path | None, path: Path) -> Path:
        """Write a kubeconfig (whole or not at all) and return its path."""
        cluster: dict[str, str] = {"server": server}
        if authority is not None:
            cluster["certificate-authority-data"] = _base64(authority)
        user: dict[str, str] = {}
        if self.certificate is not None and self.key is not None:
            user["client-certificate-data"] = _base64(self.certificate)
            user["client-key-data"] = _base64(self.key)
        if self.token is not None:
            user["token"] = self.token
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": self.name, "user": user}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": self.name}}],
            "current-context": "test",
        }
        part = path.with_name(f".{path.name}.part")
        part.touch(mode=0o600)
        part.write_text(yaml.safe_dump(config))
        part.rename(path)
        return path


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
