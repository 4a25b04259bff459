"""Helm at its best: a local chart, nothing to wait for, its discovery cache warm.

The program comes from its Go module, built once into the tests' cache; ``HELM`` names another.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tests.bench.stores import write_chart
from tests.cluster.programs import cache_dir

VERSION: Final = "v4.3.1"
_MODULE: Final = "helm.sh/helm/v4/cmd/helm"
_AT_A_TIME: Final = 4  # on two cores more of them are no faster: the API server is busy
_NO_GO: Final = (
    "Helm has to be built, and there is no Go toolchain: install Go 1.21 or newer "
    "(Debian: apt-get install golang-go), or let HELM name a helm program"
)


def program() -> Path:
    """Return the helm program, building it when it is not there. Errors: RuntimeError."""
    if named := os.environ.get("HELM"):
        return Path(named)
    folder = cache_dir() / f"helm-{VERSION}"
    if folder.exists():
        return folder / "helm"
    cache_dir().mkdir(parents=True, exist_ok=True)
    with (cache_dir() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _build(folder)
    return folder / "helm"


def _build(folder: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise RuntimeError(_NO_GO)
    print(f"== building Helm {VERSION} into {folder} (minutes from cold)", flush=True)
    part = Path(tempfile.mkdtemp(prefix=".build-", dir=folder.parent))
    try:
        subprocess.run(
            [go, "install", "-trimpath", f"{_MODULE}@{VERSION}"],
            cwd=part,
            env={**os.environ, "GOBIN": str(part), "CGO_ENABLED": "0"},
            check=True,
        )
        part.chmod(0o755)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


class Helm:
    """``helm upgrade --install`` of one chart a store, as the cluster's administrator."""

    name = "Helm"

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        self._program = program()
        self._charts = folder / "charts"
        homes = {name: str(folder / name) for name in ("cache", "config", "data")}
        self._environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "KUBECONFIG": str(kubeconfig),
            **{f"HELM_{name.upper()}_HOME": path for name, path in homes.items()},
        }

    def version(self) -> str:
        """Return what it says of itself."""
        return self._run("version", "--template", "{{.Version}}")

    def begin(self) -> None:
        """Start nothing: each store is a process of its own."""

    def end(self) -> None:
        """End nothing."""

    def install(self, store_ids: Sequence[str]) -> float:
        """Install stores, a few at a time; return the seconds that all of it took."""
        for store_id in store_ids:
            write_chart(store_id, self._charts)
        return self._all(store_ids)

    def again(self, store_ids: Sequence[str]) -> float:
        """Do the same once more, with nothing changed; return the seconds."""
        return self._all(store_ids)

    def _all(self, store_ids: Sequence[str]) -> float:
        began = time.monotonic()
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            list(pool.map(self._upgrade, store_ids))
        return time.monotonic() - began

    def _upgrade(self, store_id: str) -> None:
        where = ["--namespace", f"store-{store_id}", "--create-namespace"]
        self._run("upgrade", "--install", store_id, str(self._charts / store_id), *where)

    def _run(self, *args: str) -> str:
        done = subprocess.run(
            [str(self._program), *args],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"helm {args[0]}: {done.stderr.strip()}")
        return done.stdout.strip()
