"""Starts the service as a user does, in a process of its own, and speaks to it over HTTP."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.cluster.daemon import die_with_us
from tests.ground import PASSED_ON, Ground

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
_URL = re.compile(r"serves on (http://\S+)")


def poll(look: Callable[[], T | None], *, seconds: float = 30.0, what: str = "it") -> T:
    """Return the first result that is neither None nor False; fail after a deadline."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(0.05)


def free_port() -> int:
    """Return a port on which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Server:
    """One ``urumi serve`` on a free port with a data dir of its own, on the ground of the run."""

    def __init__(self, data_dir: Path, ground: Ground, **environ: str) -> None:
        self.data_dir = data_dir
        self.ground = ground
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(data_dir),
            "URUMI_DATA_DIR": str(data_dir),
            "URUMI_PORT": str(free_port()),
            "URUMI_SANDBOX_SPEED": "0",
            "URUMI_RATE_LIMIT": "off",
            **_cluster_of(ground),
            **environ,
        }
        self.process: subprocess.Popen[str] | None = None
        self.log = data_dir / "server.log"
        self.url = ""

    def start(self) -> Server:
        """Start it and wait until it answers; a second start takes the same port again."""
        mark = self.spawn()
        self.url = poll(lambda: self._announced(mark), what="the start")
        poll(self._healthy, what="an answer")
        return self

    def spawn(self) -> int:
        """Start it without waiting; return where in its log this start begins."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with self.log.open("a") as log:
            mark = log.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-m", "orchestrator", "serve"],
                cwd=ROOT,
                env=self.environ,
                stdout=log,
                stderr=log,
                text=True,
                preexec_fn=die_with_us,
            )
        return mark

    def _announced(self, mark: int) -> str | None:
        assert self.process is not None
        text = self.log.read_text()[mark:]
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{text}")
        match = _URL.search(text)
        return match[1] if match else None

    def _healthy(self) -> bool:
        try:
            return httpx.get(self.url + "/healthz", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """End it by SIGKILL, as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """End it by SIGTERM; return its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, sig: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(sig)
        code = self.process.wait(timeout=10)
        self.process = None
        return code

    @property
    def token(self) -> str:
        """The admin token that the first start made."""
        return (self.data_dir / "admin-token").read_text().strip()

    @property
    def kubeconfig(self) -> Path:
        """An administrator's kubeconfig of the cluster that it talks to."""
        return self.ground.kubeconfig or self.data_dir / "sandbox" / "kubeconfig"

    def client(self, **headers: str) -> httpx.Client:
        """Return a client with the admin's token."""
        auth = {"Authorization": f"Bearer {self.token}", **headers}
        return httpx.Client(base_url=self.url, headers=auth, timeout=10)

    def kubectl(self, *args: str, check: bool = True, stdin: str | None = None) -> str:
        """Run real kubectl against the cluster; return its standard output."""
        program = Path(sys.executable).parent / "kubectl"
        done = subprocess.run(
            [str(program), "--kubeconfig", str(self.kubeconfig), *args],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(args)}: {done.stderr}")
        return done.stdout if check else done.stdout + done.stderr


def _cluster_of(ground: Ground) -> dict[str, str]:
    if ground.service is None:
        return {"URUMI_CLUSTER": "sandbox"}
    passed = {name: os.environ[name] for name in PASSED_ON if os.environ.get(name)}
    named = passed if ground.plane is None else {}
    return {"URUMI_CLUSTER": "auto", "URUMI_KUBECONFIG": str(ground.service), **named}


def passes_in(metrics: str) -> float:
    """Return how many passes the reconciler has made, by the service's metrics."""
    name = "urumi_reconcile_duration_seconds_count"
    return sum(float(line.split()[-1]) for line in metrics.splitlines() if line.startswith(name))


def wait_for_phase(
    client: httpx.Client, store_id: str, *phases: str, seconds: float = 30
) -> Mapping[str, Any]:
    """Poll a store until its phase is one of those named; return its document."""

    def look() -> Mapping[str, Any] | None:
        store: Mapping[str, Any] = client.get(f"/api/v1/stores/{store_id}").json()
        return store if store.get("phase") in phases else None

    return poll(look, seconds=seconds, what=f"{store_id} becoming {'/'.join(phases)}")


def wait_gone(client: httpx.Client, store_id: str, *, seconds: float = 30) -> None:
    """Poll a store until it answers 404."""
    poll(
        lambda: client.get(f"/api/v1/stores/{store_id}").status_code == 404,
        seconds=seconds,
        what=f"{store_id} being gone",
    )


def events(client: httpx.Client, store_id: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(f"/api/v1/stores/{store_id}/events?limit=200").json()[
        "items"
    ]
    return items


def drifts(client: httpx.Client, about: str) -> list[dict[str, Any]]:
    """Return what the timeline says of drifts of the objects with that in their name."""
    return [
        e for e in events(client, "acme") if e["type"] == "drift" and about in (e["object"] or "")
    ]
