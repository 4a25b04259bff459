"""The files that pods run are at least well-formed; set-up itself is tried on real pods."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from orchestrator.renderer import SCRIPTED
from tests.renderer.samples import FILES, find, make_spec, render

SMOKE = Path(__file__).parents[1] / "smoke"
SHELL = sorted([*FILES.rglob("*.sh"), *SMOKE.glob("*.sh")])


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("script", SHELL, ids=lambda p: p.name)
def test_shell(script: Path) -> None:
    assert run("sh", "-n", str(script)) == ""
    # Those for people look at each answer themselves.
    strict = "set -eu" if script.parent in (FILES / "wordpress", FILES / "mysql") else ""
    assert strict in script.read_text() or script.name == "probe.sh"


@pytest.mark.parametrize("script", SHELL, ids=lambda p: p.name)
def test_shell_by_shellcheck(script: Path) -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed: apt-get install shellcheck")
    assert run("shellcheck", "-s", "sh", str(script)) == ""


@pytest.mark.parametrize("script", sorted(FILES.rglob("*.php")), ids=lambda p: p.name)
def test_php(script: Path) -> None:
    if not shutil.which("php"):
        pytest.skip("php is not installed: apt-get install php-cli")
    assert run("php", "-l", str(script)) == ""


@pytest.mark.parametrize(
    "script",
    sorted(path for name in SCRIPTED for path in (FILES / name).iterdir()),
    ids=lambda p: p.name,
)
def test_files_are_plain_text_that_a_config_map_holds(script: Path) -> None:
    if script.is_file():
        text = script.read_text(encoding="ascii")
        assert text.endswith("\n") and "\r" not in text
        assert find(render(), "ConfigMap", script.parent.name)["data"][script.name] == text


def test_config_maps_stay_far_below_their_limit() -> None:
    for name in ("mysql", "wordpress"):
        data = find(render(), "ConfigMap", name)["data"]
        assert len(json.dumps(data)) < 256 * 1024  # etcd's limit for the object is 1 MiB


def test_settings_tell_set_up_all_that_the_owner_chose() -> None:
    spec = make_spec(
        title="Łódź & Söhne",
        admin_email="boss@example.com",
        currency="EUR",
        country="DE",
        demo_products=False,
        engine="wordpress",
    )
    told = json.loads(find(render(spec), "ConfigMap", "wordpress")["data"]["settings.json"])
    assert told == {
        "url": "http://store-acme.localtest.me",
        "engine": "wordpress",
        "title": "Łódź & Söhne",
        "adminEmail": "boss@example.com",
        "currency": "EUR",
        "country": "DE",
        "demoProducts": False,
    }
