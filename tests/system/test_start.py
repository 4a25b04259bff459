"""What makes a start impossible is one line that says what to do, never a traceback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ground import SANDBOX
from tests.system.server import ROOT, Server

GARBAGE = b"this is no database, " * 300


def sandbox_state(data: Path) -> None:
    (data / "sandbox").mkdir()
    (data / "sandbox" / "state.db").write_bytes(GARBAGE)


def sandbox_file(data: Path) -> None:
    (data / "sandbox").write_text("")


def token_directory(data: Path) -> None:
    (data / "admin-token").mkdir()


def token_short(data: Path) -> None:
    (data / "admin-token").write_text("short")


def database(data: Path) -> None:
    (data / "urumi.db").write_bytes(GARBAGE)


@pytest.mark.parametrize(
    ("spoil", "names", "code"),
    [
        (sandbox_state, "sandbox", 2),
        (sandbox_file, "sandbox", 2),
        (token_directory, "admin-token", 2),
        (token_short, "admin-token", 2),
        (database, "URUMI_DATABASE_URL", 3),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_data_dir_that_was_damaged(
    tmp_path: Path, spoil: Callable[[Path], None], names: str, code: int
) -> None:
    server = Server(tmp_path, SANDBOX)
    spoil(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", "serve"],
        cwd=ROOT,
        env=server.environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if line.startswith("urumi: ")]
    assert done.returncode == code
    assert len(said) == 1 and names in said[0]
    assert "Traceback" not in done.stderr


def test_the_admin_token_is_for_its_owner_alone(serve: Callable[..., Server]) -> None:
    server = serve()
    file = server.data_dir / "admin-token"
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o666)
    server.stop()
    server.start()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_revoked_admin_token_does_not_come_back(serve: Callable[..., Server]) -> None:
    server = serve()
    first = server.token
    with server.client() as client:
        assert client.delete("/api/v1/tokens/admin").status_code == 204
        assert client.get("/api/v1/me").status_code == 401
    server.stop()
    server.start()
    assert server.token != first
    with server.client() as client:
        assert client.get("/api/v1/me").json()["role"] == "admin"
        old = {"Authorization": f"Bearer {first}"}
        assert client.get("/api/v1/me", headers=old).status_code == 401
