"""What is missing for ``make test-setup`` is said, by name; nothing is skipped in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.setup import needs


def test_missing_programs_are_told_by_their_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(needs, "program", lambda name: None)
    monkeypatch.setattr(needs, "DEBIAN", tmp_path)
    monkeypatch.delenv(needs.WORDPRESS, raising=False)
    assert needs.main() == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for package in (
        "php-cli", "php-mysql", "php-xml", "php-mbstring", "php-zip", "mariadb-server",
        "bubblewrap", "wordpress",
    ):  # fmt: skip
        assert package in said


@pytest.mark.parametrize("name", needs.HOLDS)
def test_a_folder_that_is_no_release_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(needs.Missing, match=f"{name}=.*no release's folder"):
        needs.check({name: str(tmp_path)})
    (tmp_path / needs.HOLDS[name]).touch()
    assert needs.release({name: str(tmp_path)}, name) == tmp_path
