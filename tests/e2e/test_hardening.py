"""What a store's processes may do, seen in the running pods."""

from __future__ import annotations

import json

import pytest

from tests.e2e.shop import Shop

COMPONENTS = pytest.mark.parametrize("component", ["wordpress", "database"])


@COMPONENTS
def test_no_process_has_more_rights_than_it_needs(shop: Shop, component: str) -> None:
    read = "for s in /proc/[0-9]*/status; do cat $s 2>/dev/null; echo; done"
    processes = [
        dict(line.split(":\t", 1) for line in block.splitlines() if ":\t" in line)
        for block in shop.run(component, "sh", "-c", read).split("\n\n")
        if block.strip()
    ]
    assert len(processes) > 1, "the server, and the shell that looks"
    for process in processes:
        name = process["Name"]
        assert "0" not in process["Uid"].split(), name
        assert {int(process[c], 16) for c in ("CapEff", "CapPrm", "CapBnd")} == {0}, name
        assert process["NoNewPrivs"].strip() == "1", name
        assert process["Seccomp"].strip() == "2", f"{name}: no filter"


@COMPONENTS
def test_there_is_no_token_and_nothing_of_the_system_can_be_written(
    shop: Shop, component: str
) -> None:
    def can(script: str) -> bool:
        return shop.run(component, "sh", "-c", f"{script} && echo yes || echo no").strip() == "yes"

    assert can("touch /tmp/e2e"), "the same try where it is allowed"
    for path in ("/e2e", "/usr/e2e", "/etc/e2e", "/usr/src/wordpress/e2e", "/var/lib/e2e"):
        assert not can(f"touch {path} 2>/dev/null"), path
    assert can("test -e /etc/urumi"), "the same question where something is"
    assert not can("test -e /var/run/secrets/kubernetes.io")


def test_a_pod_with_more_rights_is_not_let_in(shop: Shop) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "e2e-privileged"},
        "spec": {"containers": [{
            "name": "x", "image": "x", "securityContext": {"privileged": True},
        }]},
    }  # fmt: skip
    ask = ("create", "--dry-run=server", "-f", "-")
    elsewhere = shop.server.kubectl("-n", "default", *ask, stdin=json.dumps(pod))
    assert "created" in elsewhere, "the same pod where nothing is enforced"
    said = shop.kubectl(*ask, check=False, stdin=json.dumps(pod))
    assert 'violates PodSecurity "restricted' in said, said
