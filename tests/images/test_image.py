"""What goes into a store's image, made here without Docker; what Docker is asked, by a stand-in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.images.site import PLUGIN, WORDPRESS, Site, archive, sha256

ROOT = Path(__file__).parents[2]
IMAGE = ROOT / "images" / "wordpress"
DOCKERFILE = (IMAGE / "Dockerfile").read_text()

needs_php = pytest.mark.skipif(
    not shutil.which("php"), reason="php is not installed: apt-get install php-cli"
)


def copies() -> list[tuple[str, str]]:
    """What the build takes from the checkout, as the Dockerfile says."""
    return re.findall(r"^COPY (?!--)(\S+) (\S+)$", DOCKERFILE, re.MULTILINE)


def let_in(path: str) -> bool:
    """Whether .dockerignore, which refuses everything and then names exceptions, lets it in."""
    lines = (IMAGE / "Dockerfile.dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "**"
    return any(path == r[1:] or path.startswith(f"{r[1:]}/") for r in rules[1:] if r[0] == "!")


@pytest.fixture
def build_dir(tmp_path: Path) -> Path:
    """What the first stage sees: files that are copied and not ignored, and nothing else."""
    inside = tmp_path / "inside"
    for source, target in copies():
        for path in [ROOT / source, *(ROOT / source).rglob("*")]:
            name = str(path.relative_to(ROOT))
            if path.is_file() and let_in(name):
                to = inside / target.lstrip("/") / path.relative_to(ROOT / source)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, to)
    return inside / "build"


def bring(build_dir: Path, folder: Path, lock: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(build_dir / "images/wordpress/parts.sh"), str(folder)],
        env=os.environ | {"LOCK": str(lock)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@needs_php
def test_the_parts_come_as_pinned_and_again_is_the_same(
    site: Site, build_dir: Path, tmp_path: Path
) -> None:
    lock, folder = site.pinned_lock(tmp_path / "lock.json"), tmp_path / "parts"
    for _ in range(2):
        done = bring(build_dir, folder, lock)
        assert done.returncode == 0, done.stderr
        assert sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()) == [
            "plugins/woocommerce/woocommerce.php",
            "themes/storefront/style.css",
        ]
    assert done.stdout.splitlines() == ["brought WooCommerce 10.5.0", "brought Storefront 4.6.1"]


@needs_php
def test_what_the_dockerfile_takes_over_is_what_the_script_makes(
    site: Site, build_dir: Path, tmp_path: Path
) -> None:
    taken = re.findall(r"^COPY --from=parts /parts(/\S+) (\S+)$", DOCKERFILE, re.MULTILINE)
    bring(build_dir, tmp_path / "parts", site.pinned_lock(tmp_path / "lock.json"))
    assert len(taken) == 2
    for made, target in taken:
        assert (tmp_path / "parts" / made.lstrip("/")).is_dir()
        assert target == f"/usr/src/wordpress/wp-content{made}"  # where prepare.sh looks


@needs_php
def test_a_run_that_was_killed_is_mended_by_the_next(
    site: Site, build_dir: Path, tmp_path: Path
) -> None:
    half = tmp_path / "parts/plugins/.urumi-new/woocommerce"
    half.mkdir(parents=True)
    (half / "half.php").write_text("<?php")
    done = bring(build_dir, tmp_path / "parts", site.pinned_lock(tmp_path / "lock.json"))
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.glob("parts/plugins/**/half.php"))


@needs_php
@pytest.mark.parametrize("missing", ["woocommerce", "storefront"])
def test_a_missing_checksum_stops_and_says_so(
    site: Site, build_dir: Path, tmp_path: Path, missing: str
) -> None:
    lock = site.pinned_lock(tmp_path / "lock.json", **{missing: {"sha256": None}})
    done = bring(build_dir, tmp_path / "parts", lock)
    assert done.returncode == 78
    assert re.search(rf"no checksum of {missing} [\d.]+ is pinned", done.stderr, re.IGNORECASE)
    assert "make lock-images" in done.stderr
    assert not list(tmp_path.glob(f"parts/*/{missing}"))


@needs_php
def test_what_is_not_what_was_pinned_is_not_unpacked(
    site: Site, build_dir: Path, tmp_path: Path
) -> None:
    lock = site.pinned_lock(tmp_path / "lock.json")
    site.archives[PLUGIN] = archive("woocommerce", "10.5.0", **{"woocommerce/evil.php": "<?php"})
    done = bring(build_dir, tmp_path / "parts", lock)
    assert done.returncode == 75 and "its checksum differs" in done.stderr
    assert not [p for p in (tmp_path / "parts").rglob("*") if p.is_file()]


@needs_php
def test_an_archive_that_leaves_its_folder_is_not_unpacked(
    site: Site, build_dir: Path, tmp_path: Path
) -> None:
    evil = archive("woocommerce", "10.5.0", **{"woocommerce/../../evil.php": "<?php"})
    site.archives[PLUGIN] = evil
    lock = site.pinned_lock(tmp_path / "lock.json", woocommerce={"sha256": sha256(evil)})
    done = bring(build_dir, tmp_path / "parts", lock)
    assert done.returncode == 70 and "not WooCommerce's" in done.stderr
    assert not list(tmp_path.rglob("evil.php"))


def test_the_image_is_built_on_nothing_but_what_it_is_given() -> None:
    assert re.findall(r"^ARG (.*)$", DOCKERFILE, re.MULTILINE) == ["WORDPRESS_IMAGE"]
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${WORDPRESS_IMAGE}"}
    for source, _ in copies():
        assert (ROOT / source).exists()
    for private in (".urumi/admin-token", ".env", "requirements/runtime.txt", ".git/config"):
        assert not let_in(private)


def build(lock: Path, path: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(IMAGE / "build.sh")],
        env={"PATH": path, "LOCK": str(lock), "HOME": str(lock.parent)} | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A PATH with what the script needs of the system, and no Docker."""
    (folder := tmp_path / "programs").mkdir()
    (folder / "dirname").symlink_to(shutil.which("dirname") or "")
    program(folder / "python3", f'exec {sys.executable} "$@"')
    return folder


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def docker(programs: Path, tmp_path: Path) -> Path:
    """A docker that writes down what it is asked."""
    calls = tmp_path / "calls"
    calls.touch()
    program(programs / "docker", f'echo "$*" >>{calls}')
    return calls


def test_nothing_is_built_of_what_is_not_pinned(
    lock_file: Path, programs: Path, docker: Path
) -> None:
    done = build(lock_file, str(programs))
    assert done.returncode == 1
    assert "no digest of" in done.stderr and "run `make lock-images`" in done.stderr
    assert docker.read_text() == ""


def test_docker_gets_the_base_by_its_digest(
    site: Site, tmp_path: Path, programs: Path, docker: Path
) -> None:
    lock = site.pinned_lock(tmp_path / "lock.json")
    done = build(lock, str(programs), IMAGE="registry.example.com/urumi-wordpress")
    assert done.returncode == 0, done.stderr
    asked = docker.read_text().splitlines()[-1]
    name = "registry.example.com/urumi-wordpress:6.9-wc10.5.0"
    assert asked == (
        f"build --build-arg WORDPRESS_IMAGE={site.host}/library/wordpress:6.9@{WORDPRESS}"
        f" --file images/wordpress/Dockerfile --tag {name} ."
    )
    assert f"URUMI_IMAGE_WORDPRESS={name}" in done.stdout


def test_without_docker_it_says_what_to_do(site: Site, tmp_path: Path, programs: Path) -> None:
    done = build(site.pinned_lock(tmp_path / "lock.json"), str(programs))
    assert done.returncode == 1 and "install Docker" in done.stderr


def test_a_docker_that_does_not_answer(site: Site, tmp_path: Path, programs: Path) -> None:
    program(programs / "docker", "exit 1")
    done = build(site.pinned_lock(tmp_path / "lock.json"), str(programs))
    assert done.returncode == 1 and "docker does not answer" in done.stderr


@pytest.mark.parametrize(
    "script",
    sorted([*IMAGE.glob("*.sh"), *(ROOT / "manifests").rglob("*.sh")]),
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_scripts_by_shellcheck(script: Path) -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed: apt-get install shellcheck")
    done = subprocess.run(["shellcheck", script], capture_output=True, text=True, check=False)
    assert done.stdout == ""
