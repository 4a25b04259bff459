"""A private PostgreSQL server for tests: a folder of its own, a Unix socket, no fsync."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

INSTALL = "PostgreSQL is not installed: apt-get install postgresql (or put `postgres` on the PATH)"


def bin_dir() -> Path | None:
    """Return the folder of the newest server that is installed."""
    found = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if on_path := shutil.which("postgres"):
        found.append(Path(on_path).resolve().parent)
    usable = [p for p in found if (p / "initdb").exists()]
    return max(usable, key=lambda p: (p.parent.name.rjust(4, "0"), str(p)), default=None)


class Server:
    """One running server; `url` names a database on it."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._dir = Path(tempfile.mkdtemp(prefix="urumi-pg-", dir="/tmp"))
        self._process: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {}
        if os.getuid() == 0:  # the server refuses to run as root
            user = _somebody()
            os.chown(self._dir, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://urumi@/{database}?host={self._dir}"

    def start(self) -> None:
        data = self._dir / "data"
        self._run("initdb", "-D", data, "-U", "urumi", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._dir),
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "200",
        }
        with (self._dir / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    str(self._programs / "postgres"),
                    *("-D", str(data)),
                    *(f"--{name}={value}" for name, value in options.items()),
                ],
                cwd=self._dir,
                stdout=log,
                stderr=log,
                **self._as,
            )
        self._wait_until_it_answers()

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # "fast": does not wait for clients
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._dir, ignore_errors=True)

    def _wait_until_it_answers(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + 60
        while True:
            done = subprocess.run(
                [self._programs / "pg_isready", "-h", self._dir, "-q"], check=False, timeout=20
            )
            if done.returncode == 0:
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"postgres did not start:\n{(self._dir / 'log').read_text()}")
            time.sleep(0.05)

    def _run(self, program: str, *args: object) -> None:
        subprocess.run(
            [self._programs / program, *map(str, args)],
            check=True,
            capture_output=True,
            cwd=self._dir,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            timeout=120,
            **self._as,
        )


def _somebody() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
