"""`urumi render` needs nothing and prints the same bytes each time."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from orchestrator.cli.render import fixed_uid
from orchestrator.model.names import UID_ANNOTATION


def documents(result: Any) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.stderr
    return list(yaml.safe_load_all(result.stdout))


def test_the_bytes_are_the_same_each_time_and_hold_no_secret(run: Any) -> None:
    first, second = run("render", "acme"), run("render", "acme")
    assert first.stdout_bytes == second.stdout_bytes
    kinds = [d["kind"] for d in documents(first)]
    assert kinds[0] == "Namespace" and "StatefulSet" in kinds and "Secret" not in kinds
    assert "Secret is left out" in first.stderr


def test_the_uid_is_fixed_by_the_id_and_a_note_says_so(run: Any) -> None:
    result = run("render", "acme")
    annotations = documents(result)[0]["metadata"]["annotations"]
    assert annotations[UID_ANNOTATION] == fixed_uid("acme") != fixed_uid("acme2")
    assert UID_ANNOTATION in result.stderr


def test_choices_reach_the_manifests(run: Any) -> None:
    result = run("render", "acme", "--domain", "shop.example.com", "--set", "versions.mysql=8.4.7")
    assert "shop.example.com" in result.stdout
    assert "mysql:8.4.7" in result.stdout


def test_credentials_are_new_each_time_and_alone(run: Any) -> None:
    first, second = run("render", "acme", "--credentials"), run("render", "acme", "--credentials")
    (secret,) = documents(first)
    assert (secret["kind"], secret["metadata"]["namespace"]) == ("Secret", "store-acme")
    assert documents(second)[0]["data"] != secret["data"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("Acme",), "id: "),
        (("kube-x",), "reserved"),
        (("acme", "--name", " "), "name: "),
        (("acme", "--plan", "huge"), "plan: "),
        (("acme", "--engine", "drupal"), "engine: "),
        (("acme", "--domain", "shop.localtest.me"), "domain: "),
        (("acme", "--set", "currency=usd"), "options.currency: "),
        (("acme", "--set", "colour=red"), "options.colour: unknown"),
        (("acme", "--env", "test"), "URUMI_ENV"),
    ],
)
def test_wrong_values_are_2_and_name_field_and_rule(
    run: Any, args: tuple[str, ...], said: str
) -> None:
    result = run("render", *args)
    assert result.exit_code == 2, result.stderr
    assert said in result.stderr
    assert result.stdout == ""
