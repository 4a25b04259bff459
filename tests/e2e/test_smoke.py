"""The main job by curl alone, against the same service and the same cluster."""

from __future__ import annotations

import os
import subprocess

from tests.e2e.conftest import Installation
from tests.system.server import ROOT


def test_the_smoke_script_passes(installation: Installation) -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "URUMI_URL": installation.server.url,
        "URUMI_TOKEN": installation.server.token,
        "SMOKE_ID": f"{installation.run}-smoke",
        "SMOKE_TIMEOUT": "180",
    }
    done = subprocess.run(
        ["sh", str(ROOT / "tests" / "smoke" / "smoke.sh")],
        env=environ,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 failed" in done.stdout
