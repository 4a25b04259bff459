"""Where the programs of the control plane come from.

``KUBEBUILDER_ASSETS`` (the envtest convention) gives etcd and kube-apiserver when set, and the
others too when they lie there. What is missing is built by an ordinary Go toolchain from the module
beside this file, once, into a cache outside of the checkout: four minutes from cold on two cores.
``python -m tests.cluster.programs`` does it ahead of time and says where they are.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PROGRAMS: Final = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
_MODULE: Final = Path(__file__).with_name("kube")
_SOURCES: Final = ("go.mod", "go.sum", "main.go")
_NO_GO: Final = (
    "the control plane has to be built, and there is no Go toolchain: install Go 1.21 or newer "
    "(Debian: apt-get install golang-go), or set KUBEBUILDER_ASSETS to a folder with etcd, "
    "kube-apiserver and kube-controller-manager"
)


def cache_dir() -> Path:
    """Return the folder outside of the checkout in which built programs stay."""
    if named := os.environ.get("URUMI_TEST_CACHE"):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "urumi-tests"


def programs() -> Mapping[str, Path]:
    """Return the path of every program, building what is not there. Errors: RuntimeError."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    found = {n: Path(assets, n) for n in PROGRAMS if Path(assets, n).exists()} if assets else {}
    if assets and not {"etcd", "kube-apiserver"} <= found.keys():
        raise RuntimeError(f"KUBEBUILDER_ASSETS={assets}: etcd and kube-apiserver are not there")
    if found.keys() == set(PROGRAMS):
        return found
    built = _built()
    return {name: found.get(name, built / name) for name in PROGRAMS}


def version() -> str:
    """Return the Kubernetes version that is built, as in ``v1.36.3``."""
    match = re.search(r"^\s*k8s\.io/kubernetes (v\S+)$", (_MODULE / "go.mod").read_text(), re.M)
    if match is None:
        raise RuntimeError(f"{_MODULE / 'go.mod'} names no k8s.io/kubernetes")
    return match[1]


def _built() -> Path:
    """Return the folder of the built programs; one process builds, others wait for it."""
    digest = hashlib.sha256(b"".join((_MODULE / name).read_bytes() for name in _SOURCES))
    folder = cache_dir() / f"kube-{version()}-{digest.hexdigest()[:12]}"
    if folder.exists():
        return folder
    cache_dir().mkdir(parents=True, exist_ok=True)
    with (cache_dir() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _build(folder)
    return folder


def _build(folder: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise RuntimeError(_NO_GO)
    print(
        f"== building the control plane {version()} into {folder} (minutes from cold)", flush=True
    )
    began = time.monotonic()
    part = Path(tempfile.mkdtemp(prefix=".build-", dir=folder.parent))
    try:
        command = [go, "build", "-trimpath", "-buildvcs=false", "-ldflags", _ldflags()]
        subprocess.run(
            [*command, "-o", str(part / "kube"), "."],
            cwd=_MODULE,
            env={**os.environ, "CGO_ENABLED": "0"},
            check=True,
        )
        for name in PROGRAMS:
            (part / name).symlink_to("kube")
        part.chmod(0o755)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    print(f"== built the control plane in {time.monotonic() - began:.0f} s", flush=True)


def _ldflags() -> str:
    major, minor, _ = version().removeprefix("v").split(".", 2)
    said = {"gitVersion": version(), "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join(
        ["-s -w", *(f"-X k8s.io/component-base/version.{k}={v}" for k, v in said.items())]
    )


def main() -> None:
    """Print where the programs are."""
    try:
        for name, path in programs().items():
            print(f"{name}\t{path}")
    except (RuntimeError, OSError, subprocess.CalledProcessError) as exc:
        raise SystemExit(f"tests.cluster.programs: {exc}") from exc


if __name__ == "__main__":
    main()
