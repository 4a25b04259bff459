"""What is kept of the containers when a revision fails."""

from __future__ import annotations

import pytest

from orchestrator.model.kinds import Json
from orchestrator.watcher.health import container_states
from tests.watcher.objects import (
    DONE,
    MYSQL_IMAGE,
    RUNNING,
    SHOP_IMAGE,
    ended,
    pod,
    state_of,
    view_of,
    waiting,
)

END = ended(70, message='{"engine": "woocommerce", "admin_password": "s3cret"}')


def test_every_container_with_how_it_is_and_how_it_ended_last() -> None:
    crash = state_of(
        "mysql",
        waiting("CrashLoopBackOff", "back-off 40s"),
        ended(1, message="no\nspace"),
        restartCount=3,
    )
    runs = state_of("wordpress", RUNNING, ready=True)
    shop = pod("wordpress", runs, init=[state_of("setup", DONE)])
    assert container_states(view_of(shop, pod("database", crash))) == [
        {
            "pod": "mysql-0",
            "container": "mysql",
            "init": False,
            "image": MYSQL_IMAGE,
            "ready": False,
            "restarts": 3,
            "state": "waiting",
            "reason": "CrashLoopBackOff",
            "exitCode": 1,
            "message": "no space",
        },
        {
            "pod": "wordpress-0",
            "container": "setup",
            "init": True,
            "image": SHOP_IMAGE,
            "ready": False,
            "restarts": 0,
            "state": "terminated",
            "reason": "Completed",
            "exitCode": 0,
            "message": "",
        },
        {
            "pod": "wordpress-0",
            "container": "wordpress",
            "init": False,
            "image": SHOP_IMAGE,
            "ready": True,
            "restarts": 0,
            "state": "running",
            "reason": "",
            "exitCode": None,
            "message": "",
        },
    ]


@pytest.mark.parametrize("now", [END, waiting("CrashLoopBackOff", "back-off 40s"), RUNNING])
def test_set_ups_last_words_are_kept_without_secrets(now: Json) -> None:
    shop = pod("wordpress", init=[state_of("setup", now, END)])
    (entry,) = container_states(view_of(shop))
    assert entry["message"] == "engine: woocommerce"


def test_last_words_that_are_all_secret_are_not_kept() -> None:
    state = state_of("setup", ended(70, message='{"admin_password": "s3cret"}'))
    (entry,) = container_states(view_of(pod("wordpress", init=[state])))
    assert entry["message"] == ""


@pytest.mark.parametrize("end", [{}, ended(137, "OOMKilled")])
def test_where_nothing_was_said_kubernetes_has_the_word(end: Json) -> None:
    state = state_of("mysql", waiting("CrashLoopBackOff", "back-off 40s"), end)
    (entry,) = container_states(view_of(pod("database", state)))
    assert entry["message"] == "back-off 40s"


def test_what_a_container_waits_for_is_kept() -> None:
    words = 'secret "store-credentials" not found'
    state = state_of("mysql", waiting("CreateContainerConfigError", words), ended(1, message="x"))
    (entry,) = container_states(view_of(pod("database", state)))
    assert entry["message"] == words
