from __future__ import annotations

from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.reconciler.expectations import PATIENCE, Expectations

REF = ObjectRef("Service", "store-a", "mysql")


def at(version: str) -> Json:
    return {"metadata": {"resourceVersion": version}}


def test_what_we_applied_stands_in_until_the_watch_shows_it() -> None:
    known = Expectations(clock=lambda: 0.0)
    known.remember("a", {REF: at("12")})
    assert known.pending("a", {}) == {REF: at("12")}
    assert known.pending("a", {REF: at("9")}) == {REF: at("12")}
    assert known.pending("a", {REF: at("12")}) == {}
    assert known.pending("a", {}) == {}, "once shown, its absence is news"


def test_a_newer_version_counts_as_shown() -> None:
    known = Expectations(clock=lambda: 0.0)
    known.remember("a", {REF: at("9")})
    assert known.pending("a", {REF: at("10")}) == {}


def test_after_a_while_the_watch_is_believed() -> None:
    now = 0.0
    known = Expectations(clock=lambda: now)
    known.remember("a", {REF: at("12")})
    now = PATIENCE + 1
    assert known.pending("a", {}) == {}


def test_stores_do_not_see_each_other_and_can_be_forgotten() -> None:
    known = Expectations(clock=lambda: 0.0)
    known.remember("a", {REF: at("1")})
    assert known.pending("b", {}) == {}
    known.forget("a")
    assert known.pending("a", {}) == {}
