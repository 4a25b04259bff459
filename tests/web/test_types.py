"""The dashboard's types are those of the OpenAPI document."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from orchestrator.cli.docs import openapi

WEB = Path(__file__).parents[2] / "web"


def test_the_types_are_current(tmp_path: Path) -> None:
    document, made = tmp_path / "openapi.json", tmp_path / "schema.d.ts"
    document.write_text(openapi())
    subprocess.run(
        [sys.executable, str(WEB / "build.py"), "--", "npm", "exec", "--", "openapi-typescript",
         str(document), "--output", str(made), "--alphabetize"],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    committed = (WEB / "src" / "api" / "schema.d.ts").read_text()
    assert made.read_text() == committed, "run `make web-types`"
