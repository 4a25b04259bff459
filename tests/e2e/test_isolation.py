"""No way from one store to another, to the cluster or to its node: tried from inside the pods.

Each door that is found closed was found open by the same probe from somewhere else.
"""

from __future__ import annotations

from functools import partial

from tests.e2e.doors import (
    Door,
    Outside,
    Run,
    asked_of_kubelet,
    closed,
    of_api_server,
    of_pod,
    of_service,
)
from tests.e2e.shop import Shop


def shut(run: Run, doors: list[Door]) -> list[str]:
    """Return what of the doors is closed, in their order."""
    return [what for what, is_closed in closed(run, doors).items() if is_closed]


def test_a_shop_reaches_its_own_database_and_no_other(shop: Shop, neighbour: Shop) -> None:
    mine, theirs = of_pod(shop, "database", 3306), of_pod(neighbour, "database", 3306)
    a, b = (partial(s.run, "wordpress") for s in (shop, neighbour))
    assert shut(a, [mine]) == [], "the probe finds an open door"
    assert shut(b, [theirs]) == [], "and that the other one is open to its own shop"
    assert shut(a, [theirs]) == [theirs.what]
    assert shut(b, [mine]) == [mine.what]


def test_a_shop_is_open_to_the_ingress_controller_and_to_nobody_else(
    shop: Shop, neighbour: Shop, outside: Outside
) -> None:
    doors = [of_pod(neighbour, "wordpress", 8080), of_service(neighbour, "wordpress", 80)]
    names = [d.what for d in doors]
    assert shut(outside.run("ingress"), doors) == [], "open to pods of the controller's namespace"
    assert shut(outside.run("other"), doors) == names
    assert shut(partial(shop.run, "wordpress"), doors) == names
    assert shut(outside.run("ingress"), doors) == [], "and still open afterwards"


def test_a_database_is_closed_to_all_but_its_shop(shop: Shop, outside: Outside) -> None:
    door = of_pod(shop, "database", 3306)
    assert shut(partial(shop.run, "wordpress"), [door]) == []
    for name in ("ingress", "other"):
        assert shut(outside.run(name), [door]) == [door.what]


def test_a_shop_reaches_neither_the_api_server_nor_pods_elsewhere(
    shop: Shop, outside: Outside
) -> None:
    doors = [*of_api_server(shop), outside.door("listening")]
    assert shut(outside.run("other"), doors) == [], "they are open to a pod that no policy holds"
    assert shut(partial(shop.run, "wordpress"), doors) == [d.what for d in doors]


def test_a_shop_learns_nothing_from_its_node(shop: Shop, outside: Outside) -> None:
    """Traffic between a pod and its own node is always allowed (NetworkPolicy, IP blocks).

    Where the network plugin closes the kubelet's port all the same it does not answer; where it
    does answer, nobody is let in.
    """
    anybody = asked_of_kubelet(outside.run("other"), shop)
    assert anybody in {"401", "403"}, "the probe finds an open door"
    assert asked_of_kubelet(partial(shop.run, "wordpress"), shop) in {"", "401", "403"}
