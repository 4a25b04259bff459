"""`make test-e2e` without what it needs: it says what to do and fails, before any test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import needs


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "no cluster is named"),
        ({"KUBECONFIG": "/etc/hostname"}, "no cluster is named"),
        ({"URUMI_TEST_CLUSTER": "1"}, "no cluster is named"),
        ({"URUMI_TEST_CLUSTER": "1", "KUBECONFIG": "/nowhere"}, "no such file"),
    ],
)
def test_what_is_missing_is_said_with_what_to_do(
    environ: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("KUBECONFIG", "URUMI_TEST_CLUSTER", "URUMI_TEST_INGRESS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert needs.main() == 1
    printed = capsys.readouterr().err
    for word in (said, "kind create cluster", "k3s", "URUMI_TEST_INGRESS", "URUMI_TEST_CLUSTER=1"):
        assert word in printed


def test_a_cluster_that_does_not_answer_is_named(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text("""\
clusters: [{name: c, cluster: {server: "http://127.0.0.1:9"}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
users: [{name: u, user: {}}]
current-context: c
""")
    with pytest.raises(needs.Missing, match="does not answer"):
        needs.check({"URUMI_TEST_CLUSTER": "1", "KUBECONFIG": str(path)})


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8088", ("127.0.0.1", 8088)),
        ("shops.example.com", ("shops.example.com", 80)),
        ("[fd00::1]:80", ("fd00::1", 80)),
        ("", None),
    ],
)
def test_the_ingress_address(text: str, address: tuple[str, int] | None) -> None:
    assert needs.ingress_address({"URUMI_TEST_INGRESS": text}) == address


def test_a_wrong_ingress_address_is_named() -> None:
    with pytest.raises(needs.Missing, match="host:port"):
        needs.ingress_address({"URUMI_TEST_INGRESS": "127.0.0.1:http"})
