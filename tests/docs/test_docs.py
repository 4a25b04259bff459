"""What README and docs name is there, and what they tell people to type is at least well-formed."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml

from orchestrator.cli.docs import refreshed
from orchestrator.settings import load

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
GUARANTEES = ROOT / "docs" / "guarantees.md"
PAGES = [README, ROOT / "charts/store/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FOLDERS = ("orchestrator", "manifests", "charts", "tests", "docs", "images", "requirements", ".ci")
# Not settings of the service: they say where the command line and the tests find what they need.
OTHERS = {"URUMI_URL", "URUMI_TOKEN"}
TESTS = "URUMI_TEST_"

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))


def blocks(page: Path, *languages: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language in languages]


def spans(page: Path) -> list[str]:
    """What is in `backticks`, outside of blocks."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", text)


def proofs_in(text: str) -> list[tuple[str, str]]:
    return re.findall(r"(tests/[\w/]+\.py)::(\w+)", text)


@cache
def functions(file: str) -> frozenset[str]:
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    return frozenset(re.findall(r"^ *(?:async )?def (\w+)", path.read_text("utf-8"), re.MULTILINE))


@every_page
def test_every_test_that_is_named_is_there(page: Path) -> None:
    named = proofs_in(page.read_text("utf-8"))
    assert [f"{file}::{name}" for file, name in named if name not in functions(file)] == []


@every_page
def test_every_path_that_is_named_is_there(page: Path) -> None:
    pattern = re.compile(rf"(?:{'|'.join(map(re.escape, FOLDERS))})/[\w./*-]*")
    named = {
        span.partition("::")[0].split()[0] for span in spans(page) if pattern.match(span.split()[0])
    }
    # `store/` and the like are ends of a path: a pattern has to match something.
    assert [p for p in sorted(named) if not list(ROOT.glob(p.rstrip("/")))] == []


@every_page
def test_every_link_inside_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
    inside = [link for link in links if "://" not in link]
    broken = []
    for link in inside:
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in headings}


@every_page
def test_every_make_target_is_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    typed = [*spans(page), *blocks(page, "console", "bash", "sh", "powershell")]
    lines = [line for text in typed for line in text.splitlines() if " install " not in line]
    named = {name for line in lines for name in re.findall(r"\bmake ([a-z][\w-]*)", line)}
    assert named - targets == set()


@every_page
def test_every_variable_is_a_setting(page: Path) -> None:
    named = set(re.findall(r"\bURUMI_[A-Z_]+[A-Z]\b", page.read_text("utf-8")))
    settings = set(re.findall(r"^\| `(URUMI_[A-Z_]+)`", refreshed(README.read_text("utf-8")), re.M))
    assert {n for n in named if not n.startswith(TESTS)} - settings - OTHERS == set()


@every_page
def test_blocks_are_well_formed(page: Path) -> None:
    for text in blocks(page, "yaml"):
        assert list(yaml.safe_load_all(text))
    bash = shutil.which("bash")
    assert bash is not None, "bash is needed"
    for text in blocks(page, "bash", "sh"):
        done = subprocess.run(
            [bash, "-n"], input=text, capture_output=True, text=True, check=False, timeout=10
        )
        assert done.stderr == ""


CHAPTERS = (
    "Architecture choice", "Idempotency", "Failure handling", "Clean-up guarantees",
    "Isolation", "Security posture", "Local against production", "Horizontal scaling",
    "Abuse prevention", "Upgrade and rollback",
)  # fmt: skip


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_promise_has_its_proof(chapter: str) -> None:
    text = GUARANTEES.read_text("utf-8").partition(f"\n## {chapter}\n")[2].partition("\n## ")[0]
    rows = text.partition("| promise | proof |\n| --- | --- |\n")[2].partition("\n\n")[0]
    lines = rows.splitlines()
    assert lines and [line for line in lines if not proofs_in(line)] == []


def test_the_chapters_of_the_readme() -> None:
    chapters = re.findall(r"^## (.*)$", README.read_text("utf-8"), re.MULTILINE)
    assert {"On a laptop", "On a VPS with k3s", "Quickstart", "Configuration"} <= set(chapters)


def ini(title: str) -> str:
    (text,) = (t for t in blocks(README, "ini") if t.startswith(f"# {title}\n"))
    return text


def test_the_servers_settings_are_accepted(tmp_path: Path) -> None:
    lines = [line for line in ini("/etc/urumi/environment").splitlines() if line[0] != "#"]
    environ = dict(line.split("=", 1) for line in lines)
    settings = load(environ | {"URUMI_DATA_DIR": str(tmp_path)})
    assert (settings.env, settings.tls_issuer) == ("prod", "letsencrypt")
    (issuer,) = (yaml.safe_load(t) for t in blocks(README, "yaml") if "ClusterIssuer" in t)
    assert issuer["metadata"]["name"] == settings.tls_issuer
    (solver,) = issuer["spec"]["acme"]["solvers"]
    assert solver["http01"]["ingress"]["ingressClassName"] == settings.ingress_class
    chart = yaml.safe_load((ROOT / "charts/store/values-prod.yaml").read_text())
    assert chart["ingress"]["namespace"] == settings.ingress_namespace
    assert chart["ingress"]["tls"]["issuer"] == settings.tls_issuer
    assert chart["storageClass"] == settings.storage_class


def test_the_servers_unit_runs_the_service_where_it_may_write() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's keys have capitals
    unit.read_string(ini("/etc/systemd/system/urumi.service"))
    service = unit["Service"]
    assert service["ExecStart"] == f"{service['WorkingDirectory']}/.venv/bin/urumi serve"
    assert service["EnvironmentFile"] == "/etc/urumi/environment"
    data = f"URUMI_DATA_DIR=/var/lib/{service['StateDirectory']}\n"
    assert data in ini(service["EnvironmentFile"])


def test_the_chart_is_installed_as_ever() -> None:
    """The command of the first version's README, to the letter: people have it in their scripts."""
    (text,) = (t for t in blocks(README, "bash") if "helm upgrade" in t)
    assert " ".join(text.replace("\\\n", "").split()) == (
        "cd charts/store HELM_ENV=prod helm upgrade --install demo-store . --namespace store-demo "
        "--create-namespace -f values-prod.yaml --set storeId=demo --set engine=woocommerce "
        "--atomic --timeout 10m"
    )
