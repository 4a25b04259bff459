"""A private MariaDB server for the suite: a folder of its own, a Unix socket, no network."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from tests.cluster.daemon import Daemon
from tests.setup.needs import program

NAME: Final = "wordpress"  # the scripts' database and its user
PASSWORD: Final = "database-secret-1"


class Database:
    """One running server with the shop's database, which each test gets empty."""

    def __init__(self) -> None:
        # Short: a socket's path has 107 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="urumi-db-", dir="/tmp"))
        self.socket = self._folder / "s"
        # A server that starts removes what it takes for leavings there: not in /tmp, beside others.
        self._temporary = self._folder / "tmp"
        self._temporary.mkdir()
        self._daemon = Daemon(
            "MariaDB",
            [
                program("mariadbd") or "mariadbd", "--no-defaults", "--user=root",
                f"--datadir={self._folder / 'data'}", f"--socket={self.socket}",
                f"--pid-file={self._folder / 'pid'}", f"--tmpdir={self._temporary}",
                "--skip-networking", "--skip-name-resolve",
                "--innodb-buffer-pool-size=96M", "--innodb-flush-log-at-trx-commit=0",
                "--innodb-doublewrite=0", "--character-set-server=utf8mb4",
            ],
            self._folder / "log",
        )  # fmt: skip

    def start(self) -> None:
        """Make the server and start it."""
        made = subprocess.run(
            [
                program("mariadb-install-db") or "mariadb-install-db",
                "--no-defaults", "--user=root",
                f"--datadir={self._folder / 'data'}", "--skip-test-db",
                "--auth-root-authentication-method=normal", f"--tmpdir={self._temporary}",
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise RuntimeError(f"mariadb-install-db failed:\n{made.stdout}{made.stderr}")
        self._daemon.start()
        self._daemon.await_(lambda: self._client("mariadb", "-e", "SELECT 1").returncode == 0, 60)

    def stop(self) -> None:
        """End the server and remove its folder."""
        self._daemon.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def empty(self) -> None:
        """Make the database anew, with its user and the first password."""
        self.sql(
            f"DROP DATABASE IF EXISTS {NAME}; CREATE DATABASE {NAME} CHARACTER SET utf8mb4;"
            f"CREATE USER IF NOT EXISTS {NAME}@'%'; GRANT ALL ON {NAME}.* TO {NAME}@'%';"
        )
        self.set_password(PASSWORD)

    def set_password(self, password: str) -> None:
        """Change the shop's password."""
        self.sql(f"ALTER USER {NAME}@'%' IDENTIFIED BY '{password}'")

    def sql(self, text: str) -> list[list[str]]:
        """Run SQL as root in the shop's database; return the rows."""
        use = "" if text.startswith("DROP DATABASE") else f"USE {NAME};"
        done = self._client("mariadb", "--batch", "--skip-column-names", "-e", use + text)
        if done.returncode:
            raise RuntimeError(f"{text[:200]}: {done.stderr}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def option(self, name: str) -> str | None:
        """Return the value of an option, or None."""
        rows = self.sql(f"SELECT option_value FROM wp_options WHERE option_name = '{name}'")
        return rows[0][0] if rows else None

    def set_option(self, name: str, value: str) -> None:
        """Set an option, as the owner did who is not asked for it here."""
        self.sql(
            "INSERT INTO wp_options (option_name, option_value) VALUES "
            f"('{name}', '{value}') ON DUPLICATE KEY UPDATE option_value = VALUES(option_value)"
        )

    def dump(self) -> str:
        """Return all there is, one row a line."""
        done = self._client(
            "mariadb-dump", "--skip-comments", "--skip-extended-insert", "--order-by-primary", NAME
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def load(self, dump: str) -> None:
        """Bring back what was dumped."""
        self.empty()
        done = self._client("mariadb", NAME, given=dump)
        assert done.returncode == 0, done.stderr

    def _client(
        self, name: str, *arguments: str, given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [name, "--no-defaults", f"--socket={self.socket}", "--user=root", *arguments],
            input=given, stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
