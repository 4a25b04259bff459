from __future__ import annotations

from orchestrator.model.kinds import ObjectRef
from orchestrator.reconciler.contested import LONGEST, PATIENCE, Contested

REF = ObjectRef("Service", "store-a", "wordpress")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_few_put_backs_come_at_once_and_then_ever_more_rarely() -> None:
    clock = Clock()
    contested = Contested(clock)
    pauses = []
    for _ in range(12):
        pauses.append(contested.wait("a", REF))
        clock.now += pauses[-1]
        contested.put_back("a", REF)
    assert pauses[:PATIENCE] == [0.0] * PATIENCE
    assert pauses[PATIENCE : PATIENCE + 4] == [1.0, 2.0, 4.0, 8.0]
    assert pauses[-1] == LONGEST
    assert contested.is_contested("a", REF)


def test_peace_and_other_stores_are_not_punished() -> None:
    clock = Clock()
    contested = Contested(clock)
    for _ in range(6):
        contested.put_back("a", REF)
    assert contested.wait("b", REF) == 0.0
    assert contested.wait("a", ObjectRef("Service", "store-a", "mysql")) == 0.0
    clock.now += 10 * LONGEST
    assert contested.wait("a", REF) == 0.0
    assert not contested.is_contested("a", REF)


def test_a_store_that_is_gone_is_forgotten() -> None:
    contested = Contested(Clock())
    for _ in range(6):
        contested.put_back("a", REF)
    contested.forget("a")
    assert contested.wait("a", REF) == 0.0
