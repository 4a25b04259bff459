"""serve's flags, version, and that quick verbs stay quick."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import Any

import pytest

from orchestrator import __version__
from orchestrator.settings import SETTINGS

VALUES = {
    "URUMI_ENV": "prod",
    "URUMI_HOST": "0.0.0.0",
    "URUMI_PORT": "5001",
    "URUMI_DATA_DIR": "/tmp/data",
    "URUMI_DATABASE_URL": "postgresql://h/d",
    "URUMI_CLUSTER": "sandbox",
    "URUMI_KUBECONFIG": "/k",
    "URUMI_BASE_DOMAIN": "a.example",
    "URUMI_INGRESS_CLASS": "nginx",
    "URUMI_INGRESS_NAMESPACE": "web",
    "URUMI_TLS_ISSUER": "le",
    "URUMI_STORAGE_CLASS": "fast",
    "URUMI_IMAGE_WORDPRESS": "w:1",
    "URUMI_IMAGE_MYSQL": "m:1",
    "URUMI_USER_NAMESPACES": "true",
    "URUMI_SANDBOX_SPEED": "0",
    "URUMI_WORKERS": "2",
    "URUMI_MAX_STORES_PER_USER": "7",
    "URUMI_RATE_LIMIT": "5/second",
    "URUMI_PROVISION_TIMEOUT": "90s",
    "URUMI_ADMIN_TOKEN": "abcdefgh1",
    "URUMI_LOG_FORMAT": "json",
    "URUMI_LOG_LEVEL": "debug",
}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: s.variable)
def test_every_variable_has_a_flag_of_its_name_that_does_the_same(
    run: Any, served: list[Any], monkeypatch: pytest.MonkeyPatch, setting: Any
) -> None:
    flag = "--" + setting.variable.removeprefix("URUMI_").lower().replace("_", "-")
    value = VALUES[setting.variable]
    assert run("serve", flag, value).exit_code == 0
    monkeypatch.setenv(setting.variable, value)
    assert run("serve").exit_code == 0
    by_flag, by_variable = served
    assert by_flag == by_variable


def test_serve_stops_with_one_line_when_a_value_is_wrong(run: Any, served: list[Any]) -> None:
    result = run("serve", "--port", "x")
    assert (result.exit_code, served) == (2, [])
    assert result.stderr.splitlines() == [
        "urumi: --port (URUMI_PORT)='x': must be a port between 1 and 65535"
    ]


def test_help_lists_every_flag(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    text = run("serve", "--help").stdout
    for setting in SETTINGS:
        assert setting.flag in text


def test_version(run: Any) -> None:
    assert run("version").stdout == f"urumi {__version__}\n"


@pytest.mark.parametrize("target", ["> /dev/full", ">&-"])
def test_output_that_goes_nowhere_is_no_traceback(target: str) -> None:
    command = f"{shlex.quote(sys.executable)} -m orchestrator version {target}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == (1 if "full" in target else 0)
    assert ("No space left" in done.stderr) is ("full" in target)


def test_shell_completion_is_there(run: Any) -> None:
    assert "--show-completion" in run("--help").stdout


def test_the_command_line_imports_nothing_dear() -> None:
    dear = ("kubernetes_asyncio", "databases", "sqlalchemy", "starlette", "jinja2", "httpx", "rich")
    code = (
        "import sys, orchestrator.cli as c; c.build_cli(lambda s: None);"
        f"print([m for m in {dear!r} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"
