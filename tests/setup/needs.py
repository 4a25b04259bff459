"""What ``make test-setup`` needs of this machine, looked at before any test.

``python -m tests.setup.needs`` names the packages that are missing in one sentence, and exits 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PROGRAMS: Final = {
    "php": "php-cli",
    "bwrap": "bubblewrap",
    "curl": "curl",
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
    "mariadb": "mariadb-client",
    "mariadb-dump": "mariadb-client",
}
MODULES: Final = {
    "mysqli": "php-mysql",
    "xml": "php-xml",
    "mbstring": "php-mbstring",
    "zip": "php-zip",
    "curl": "php-curl",
}
DEBIAN: Final = Path("/usr/share/wordpress")
WORDPRESS: Final = "URUMI_TEST_WORDPRESS"
WORDPRESS_NEW: Final = "URUMI_TEST_WORDPRESS_NEW"
WOOCOMMERCE: Final = "URUMI_TEST_WOOCOMMERCE"
WOOCOMMERCE_OLD: Final = "URUMI_TEST_WOOCOMMERCE_OLD"
EVERY_WRITE: Final = "URUMI_TEST_EVERY_WRITE"
HOLDS: Final = {
    WORDPRESS: "wp-settings.php",
    WORDPRESS_NEW: "wp-settings.php",
    WOOCOMMERCE: "woocommerce.php",
    WOOCOMMERCE_OLD: "woocommerce.php",
}
"""The variables that name a release's folder, and a file that such a folder has."""


class Missing(Exception):
    """Something that the suite cannot do without; the text says what and what to do."""


def program(name: str) -> str | None:
    """Return where a program is; servers are often not on the PATH of a person."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def release(environ: Mapping[str, str], name: str) -> Path | None:
    """Return the folder of a release that the environment names, or None. Errors: Missing."""
    if not environ.get(name):
        return None
    folder = Path(environ[name]).resolve()
    if not (folder / HOLDS[name]).is_file():
        raise Missing(f"{name}={environ[name]}: it is no release's folder ({HOLDS[name]} lacks)")
    return folder


def wordpress(environ: Mapping[str, str]) -> Path:
    """Return the folder of WordPress: the named one, else Debian's. Errors: Missing."""
    return release(environ, WORDPRESS) or DEBIAN


def check(environ: Mapping[str, str]) -> None:
    """Raise Missing with all that is not there."""
    lacks = [package for name, package in PROGRAMS.items() if program(name) is None]
    if program("php"):
        asked = subprocess.run(["php", "-m"], capture_output=True, text=True, check=False)
        there = asked.stdout.lower().split()
        lacks += [package for name, package in MODULES.items() if name not in there]
    else:
        lacks += MODULES.values()
    for name in HOLDS:
        release(environ, name)
    if not (wordpress(environ) / "wp-settings.php").is_file():
        lacks.append("wordpress")
    if lacks:
        packages = " ".join(dict.fromkeys(lacks))
        raise Missing(
            "set-up is tested with real programs, and some are not installed: "
            f"apt-get install --no-install-recommends {packages}"
        )
    tried = subprocess.run(
        ["bwrap", "--unshare-user", "--uid", "33", "--unshare-pid", "--ro-bind", "/", "/", "true"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if tried.returncode:
        raise Missing(
            f"bubblewrap cannot make a sandbox here ({tried.stderr.strip()}): "
            "user namespaces have to be allowed, in a container by --privileged"
        )


def main() -> int:
    """Say what is missing; return the exit code."""
    try:
        check(os.environ)
    except Missing as missing:
        print(f"make test-setup: {missing}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
