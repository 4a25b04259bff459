from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator import target
from orchestrator.model.errors import SettingsError
from orchestrator.settings import load

CONFIG = """apiVersion: v1
kind: Config
current-context: {context}
contexts: [{{name: here, context: {{cluster: c, user: u}}}}]
clusters: [{{name: c, cluster: {{server: "{server}"}}}}]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".kube").mkdir()
    return tmp_path


def choose(home: Path, **environ: str) -> target.ClusterChoice:
    environ = {"HOME": str(home), "URUMI_DATA_DIR": str(home / "data"), **environ}
    return target.choose(load(environ), environ)


def config(path: Path, server: str = "https://127.0.0.1:6443", context: str = "here") -> str:
    path.write_text(CONFIG.format(server=server, context=context))
    return str(path)


def test_without_any_cluster_it_is_the_sandbox(home: Path) -> None:
    assert choose(home).kind == "sandbox"


@pytest.mark.parametrize(
    "server",
    ["https://127.0.0.1:6443", "https://localhost:1", "https://[::1]:1", "https://0.0.0.0:1"],
)
def test_a_context_on_this_machine_is_used(home: Path, server: str) -> None:
    config(home / ".kube/config", server)
    choice = choose(home)
    assert (choice.kind, choice.context) == ("kubeconfig", "here")
    assert server in choice.description


def test_a_context_elsewhere_stops_the_start_unless_it_is_named(home: Path) -> None:
    path = config(home / ".kube/config", "https://10.0.0.1:6443")
    with pytest.raises(SettingsError, match=r"10\.0\.0\.1.*URUMI_CLUSTER=kubeconfig"):
        choose(home)
    assert choose(home, URUMI_CLUSTER="kubeconfig").kind == "kubeconfig"
    assert choose(home, URUMI_KUBECONFIG=path).kind == "kubeconfig"
    assert choose(home, URUMI_CLUSTER="sandbox").kind == "sandbox"


def test_kubeconfig_variable_comes_before_the_home_file_and_may_name_several(home: Path) -> None:
    config(home / ".kube/config", "https://10.0.0.1:6443")
    one = config(home / "one", "https://127.0.0.1:1", context='""')
    two = config(home / "two", "https://127.0.0.1:2")
    choice = choose(home, KUBECONFIG=f"{one}:{two}")
    assert choice.kind == "kubeconfig" and choice.context == "here"


def test_the_sandboxs_own_kubeconfig_means_the_sandbox(home: Path) -> None:
    (home / "data/sandbox").mkdir(parents=True)
    own = config(home / "data/sandbox/kubeconfig", "http://127.0.0.1:3999")
    chosen = choose(home, KUBECONFIG=str(own), URUMI_DATA_DIR=str(home / "data"))
    assert chosen.kind == "sandbox"


@pytest.mark.parametrize("content", ["[", "- a\n- b\n", "\x00"])
def test_an_unreadable_kubeconfig_is_one_line_that_names_it(home: Path, content: str) -> None:
    (home / "bad").write_text(content)
    with pytest.raises(SettingsError, match=r"KUBECONFIG=.*bad") as caught:
        choose(home, URUMI_KUBECONFIG=str(home / "bad"))
    assert "\n" not in str(caught.value)


def test_a_kubeconfig_that_is_named_but_missing_is_not_replaced_by_the_sandbox(home: Path) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        choose(home, KUBECONFIG=str(home / "nowhere"))


def test_in_cluster_needs_a_service_account(home: Path) -> None:
    with pytest.raises(SettingsError, match="in-cluster"):
        choose(home, URUMI_CLUSTER="in-cluster")


def test_contradicting_settings_are_refused(home: Path) -> None:
    path = config(home / "c")
    with pytest.raises(SettingsError, match="URUMI_KUBECONFIG"):
        choose(home, URUMI_CLUSTER="sandbox", URUMI_KUBECONFIG=path)
