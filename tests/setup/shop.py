"""One shop under set-up: its volume, secrets and configuration, and sandboxes that are its pods.

Scripts, commands and mounts are those of the rendered Deployment; bubblewrap plays the container.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from orchestrator.model.kinds import Json
from tests.renderer.samples import LOCAL, find, make_spec, render
from tests.setup.database import PASSWORD, Database
from tests.setup.gate import Gate, Trap

HTTP: Final = 8080
ADMIN: Final = "admin"
ADMIN_PASSWORD: Final = "admin-secret-1"
SALT: Final = "salt-secret-1"
_ETC: Final = (
    "alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "nsswitch.conf",
    "passwd", "group", "php", "ssl", "ca-certificates", "mime.types",
)  # fmt: skip
_INI: Final = "/usr/local/etc/php"


def link_tree(source: Path, target: Path) -> None:
    """Copy a folder that nobody writes into: by links where they are allowed, without symlinks."""

    def link(name: str, to: str) -> str:
        real = os.path.realpath(name)
        try:
            os.link(real, to)
        except OSError:
            shutil.copyfile(real, to)
        return to

    # Debian's own configuration is not the image's.
    ignore = shutil.ignore_patterns(".htaccess", "wp-config.php")
    shutil.copytree(source, target, copy_function=link, ignore=ignore, dirs_exist_ok=True)


def make_image(folder: Path, wordpress: Path, woocommerce: Path | None) -> Path:
    """Make what the image of WordPress has at /usr/src/wordpress."""
    link_tree(wordpress, folder)
    if woocommerce is not None:
        link_tree(woocommerce, folder / "wp-content/plugins/woocommerce")
    for name in ("wp-config.php", "urumi-health.php", "urumi-alive.txt"):  # places to mount upon
        (folder / name).touch()
    return folder


@dataclass
class Run:
    """How one container ended."""

    code: int
    out: str
    message: str
    """The termination message: of its own file, or the last of its log, as Kubernetes does it."""
    said: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        try:
            found = json.loads(self.message)
        except ValueError:
            found = None
        self.said = found if isinstance(found, dict) else {}

    def ended(self, code: int, *words: str) -> Run:
        """See that it ended with that code and a message that has these words."""
        shown = f"exit code {self.code}, message: {self.message}\n{self.out[-3000:]}"
        assert self.code == code, shown
        for word in words:
            assert word in self.message, f"no {word!r}: {shown}"
        return self


class Running:
    """A container at work; ends by itself, or at once and whole."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._log = log
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", start_new_session=True,
        )  # fmt: skip

    def kill(self) -> None:
        """End all its processes, as the kernel does for a killed pod."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def terminate(self) -> None:
        """Tell the container's first process to end, as the kubelet does first."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        for child in children.read_text().split():
            os.kill(int(child), signal.SIGTERM)

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def wait(self, seconds: float = 200) -> Run:
        """Wait for the end of its last process."""
        try:
            out, _ = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            out, _ = self._process.communicate()
            raise AssertionError(f"not ended after {seconds:g} s:\n{out[-3000:]}") from None
        said = self._log.read_text(errors="replace")
        return Run(self._process.returncode, out, said or "\n".join(out.splitlines()[-20:]))


class Shop:
    """A shop with a folder of its own, behind one gate to the database."""

    def __init__(
        self, folder: Path, database: Database, gate: Gate, image: Path, engine: str, **options: Any
    ) -> None:
        self.folder = folder
        self.database = database
        self.gate = gate
        self.image = image
        self.engine = engine
        self.volume = folder / "volume"
        self.host = f"store-acme.localtest.me:{HTTP}"
        self.base = f"http://{self.host}"
        profile = dataclasses.replace(LOCAL, base_domain=f"localtest.me:{HTTP}")
        rendered = render(make_spec(engine=engine, **options), profile)
        pod = find(rendered, "Deployment", "wordpress")["spec"]["template"]["spec"]
        self.containers: dict[str, Json] = {
            one["name"]: one for one in [*pod["initContainers"], *pod["containers"]]
        }
        self._volumes: dict[str, Json] = {one["name"]: one for one in pod["volumes"]}
        self._config: dict[str, str] = find(rendered, "ConfigMap", "wordpress")["data"]
        self._runs = 0
        self.environ: dict[str, str] = {}  # of every container
        self.read_only = False  # of the volume of files
        self._make()

    def _make(self) -> None:
        for name in ("volume", "tmp", "config", "run", "ini"):
            (self.folder / name).mkdir(parents=True)
        for name, text in self._config.items():
            (self.folder / "config" / name).write_text(text)
        hosts = f"127.0.0.1 localhost\n{self.gate.address} mysql {self.host.partition(':')[0]}\n"
        (self.folder / "hosts").write_text(hosts)
        (self.folder / "sent").touch()
        (self.folder / "ini/test.ini").write_text('sendmail_path = "cat >>/run/test-sent"\n')
        self.secrets = {
            "database-password": PASSWORD, "wordpress-salt": SALT,
            "admin-username": ADMIN, "admin-password": ADMIN_PASSWORD,
        }  # fmt: skip

    @property
    def settings(self) -> dict[str, Any]:
        """What settings.json says."""
        found: dict[str, Any] = json.loads((self.folder / "config/settings.json").read_text())
        return found

    def set(self, **members: Any) -> None:
        """Change settings.json."""
        path = self.folder / "config/settings.json"
        path.write_text(json.dumps(self.settings | members))

    @property
    def sent(self) -> str:
        """The mail that was sent."""
        return (self.folder / "sent").read_text(errors="replace")

    def empty(self) -> None:
        """Remove what set-up and visitors put beside the programs and into the pod's own folder.

        What `prepare` left there stays: it runs once in a pod.
        """
        shutil.rmtree(self.volume / "uploads", ignore_errors=True)
        (self.volume / "uploads").mkdir()
        for path in (self.folder / "tmp").iterdir():
            if path.name == "urumi-themes":
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def prepare(self) -> Run:
        """Run the container `prepare` to its end."""
        return self.start("prepare").wait()

    def setup(self) -> Run:
        """Run the container `setup` to its end, with the gate open."""
        self.gate.reset()
        return self.start("setup").wait()

    def kill_before(self, trap: Trap) -> Run:
        """Run the container `setup` and kill it, all of it, before the write that is chosen."""
        self.gate.reset()
        started = threading.Event()

        def act() -> None:
            started.wait(10)
            running.kill()

        self.gate.arm(trap, act)
        running = self.start("setup")
        started.set()
        run = running.wait()
        assert self.gate.sprung or run.code == 0, run.out
        return run

    def start(
        self, name: str, command: Sequence[str] = (), environ: dict[str, str] | None = None,
        room: int | None = None, first: bool = False,
    ) -> Running:  # fmt: skip
        """Start a container of the pod, with its own command or another.

        With ``first`` that command is the container's first process, as it is in a pod; else it has
        one above it that ends all.
        With ``room`` its volume of files is another one, empty, of so many bytes.
        """
        self._runs += 1
        log = self.folder / f"termination-{self._runs}"
        log.touch()
        container = self.containers[name]
        own = [*container["command"], *container.get("args", [])]
        mounts = self._mounts(container, room)
        sandbox = self._sandbox(log, mounts, self.environ | (environ or {}))
        if first:
            sandbox.insert(1, "--as-pid-1")
        return Running([*sandbox, *(command or own)], log)

    def php(self, code: str) -> str:
        """Run PHP with the whole shop loaded, the owner's plugins too; return what it prints."""
        self.gate.reset()
        shop = "require '/usr/src/wordpress/wp-load.php'; "
        host = f"$_SERVER['HTTP_HOST'] = '{self.host}'; "
        done = self.start("setup", ["php", "-r", host + shop + code]).wait()
        assert done.code == 0, done.out
        return done.out

    @contextlib.contextmanager
    def served(self) -> Iterator[None]:
        """Serve the shop to visitors by PHP's own server; not its set-up, so nothing is blocked."""
        self.gate.reset()
        address = f"{self.gate.address}:{HTTP}"
        command = ["php", "-S", address, "-t", "/usr/src/wordpress"]
        server = self.start("wordpress", command, {"PHP_CLI_SERVER_WORKERS": "3"})
        try:
            deadline = time.monotonic() + 30
            while self.get("/urumi-health.php") == 0:
                assert not server.ended and time.monotonic() < deadline, (
                    "PHP's server did not start"
                )
                time.sleep(0.05)
            yield
        finally:
            server.kill()
            server.wait()

    def get(self, path: str, **headers: str) -> int:
        """Return the status of a page for somebody unknown; 0 when nobody answers."""
        url = f"http://{self.gate.address}:{HTTP}{path}"
        request = urllib.request.Request(url, headers={"Host": self.host, **headers})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())
        try:
            with opener.open(request, timeout=60) as answer:
                status: int = answer.status
                return status
        except urllib.error.HTTPError as refused:
            refused.close()
            return refused.code
        except OSError:
            return 0

    def _mounts(self, container: Json, room: int | None) -> list[str]:
        self._write_secrets()
        mounts: list[str] = []
        for mount in container["volumeMounts"]:
            volume = self._volumes[mount["name"]]
            how = "--ro-bind" if mount.get("readOnly") else "--bind"
            target = mount["mountPath"]
            if mount["name"] == "content":
                mounts += self._content(target, room)
            elif "configMap" in volume:
                source = self.folder / "config" / mount.get("subPath", "")
                mounts += [how, str(source), target]
            elif "secret" in volume:
                mounts += [how, str(self.folder / "secrets" / mount["name"]), target]
            elif mount["name"] == "tmp":
                mounts += ["--bind", str(self.folder / "tmp"), target]
            else:
                mounts += ["--tmpfs", target]
        return mounts

    def _content(self, target: str, room: int | None) -> list[str]:
        if room is not None:
            return ["--size", str(room), "--tmpfs", target]
        return ["--ro-bind" if self.read_only else "--bind", str(self.volume), target]

    def _write_secrets(self) -> None:
        for name, volume in self._volumes.items():
            for item in volume.get("secret", {}).get("items", []):
                path = self.folder / "secrets" / name / item["path"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(self.secrets[item["key"]])

    def _sandbox(self, log: Path, mounts: list[str], environ: dict[str, str]) -> list[str]:
        command = ["bwrap", "--die-with-parent", "--unshare-user", "--uid", "33", "--gid", "33"]
        command += ["--unshare-pid", "--unshare-ipc", "--clearenv"]
        variables = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "PHP_INI_SCAN_DIR": f":{_INI}/conf.d:{_INI}/test.d",  # Debian's, the pod's, the tests'
        }
        for name, value in (variables | environ).items():
            command += ["--setenv", name, value]
        command += ["--ro-bind", "/usr", "/usr", "--tmpfs", "/usr/src", "--tmpfs", "/usr/local"]
        for name in ("bin", "sbin", "lib", "lib64", "lib32"):
            command += ["--symlink", f"usr/{name}", f"/{name}"]
        for name in _ETC:
            command += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
        command += ["--ro-bind", str(self.folder / "hosts"), "/etc/hosts"]
        command += ["--proc", "/proc", "--dev", "/dev", "--bind", str(log), "/dev/termination-log"]
        command += ["--ro-bind", str(self.image), "/usr/src/wordpress"]
        command += ["--ro-bind", str(self.folder / "ini"), f"{_INI}/test.d"]
        command += ["--bind", str(self.folder / "sent"), "/run/test-sent"]
        return [*command, *mounts, "--chdir", "/", "--"]


class _Stay(urllib.request.HTTPRedirectHandler):
    """Answers are looked at and not followed."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


__all__ = ["ADMIN", "ADMIN_PASSWORD", "HTTP", "Run", "Running", "Shop"]
