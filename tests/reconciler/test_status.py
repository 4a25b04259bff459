from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.model.health import Health, HealthStatus
from orchestrator.model.inventory import Inventory
from orchestrator.model.spec import Options, StoreSpec, Versions
from orchestrator.model.store import (
    CONDITION_TYPES,
    Outcome,
    Phase,
    Revision,
    Status,
    Store,
    Trigger,
)
from orchestrator.reconciler.status import OBSERVED_TYPES, Findings, finalise, unobserved

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OK = Health(HealthStatus.HEALTHY, "Available", "it is there")
BAD = Health(
    HealthStatus.DEGRADED, "ImagePullBackOff", "The image cannot be downloaded (ImagePullBackOff)"
)
SPEC = StoreSpec(
    name="Acme", versions=Versions(wordpress="6.9", mysql="8.4"), options=Options(title="Acme")
)
STORE = Store(
    id="acme",
    uid="u",
    owner="admin",
    spec=SPEC,
    generation=1,
    attempt=0,
    status=Status(),
    created_at=NOW,
    updated_at=NOW,
)
URL = "http://store-acme.localtest.me"
WELL: Mapping[str, Health] = dict.fromkeys(OBSERVED_TYPES, OK)


def revision(outcome: Outcome, trigger: Trigger = Trigger.CREATE, message: str = "") -> Revision:
    return Revision(
        number=1,
        generation=1,
        attempt=0,
        trigger=trigger,
        spec=SPEC,
        template_digest="d",
        inventory=Inventory(),
        outcome=outcome,
        message=message,
        created_at=NOW,
        applied_at=NOW,
    )


def found(
    rev: Revision | None,
    *,
    ready_before: bool = False,
    applied: Health | None = OK,
    observed: Mapping[str, Health] = WELL,
) -> Findings:
    return Findings(
        revision=rev,
        has_been_ready=ready_before,
        applied=applied,
        observed=observed,
        url=URL,
        now=NOW,
    )


SICK = {**WELL, "DatabaseReady": BAD}


@pytest.mark.parametrize(
    ("findings", "phase"),
    [
        (found(None, applied=None, observed={}), Phase.PENDING),
        (found(revision(Outcome.PROGRESSING), observed=SICK), Phase.PROVISIONING),
        (
            found(revision(Outcome.PROGRESSING, Trigger.UPDATE), ready_before=True),
            Phase.UPGRADING,
        ),
        (
            found(revision(Outcome.PROGRESSING, Trigger.ROLLBACK), ready_before=True),
            Phase.ROLLING_BACK,
        ),
        (found(revision(Outcome.READY), ready_before=True), Phase.READY),
        (found(revision(Outcome.READY), ready_before=True, observed=SICK), Phase.DEGRADED),
        (found(revision(Outcome.FAILED, message="why"), observed=SICK), Phase.FAILED),
    ],
)
def test_phase(findings: Findings, phase: Phase) -> None:
    status, _ = finalise(STORE, findings)
    assert status.phase is phase


def test_deletion_comes_before_everything() -> None:
    store = replace(STORE, deleting_since=NOW)
    assert finalise(store, found(revision(Outcome.READY)))[0].phase is Phase.DELETING


def test_a_ready_store_has_every_condition_true_and_says_where_it_serves() -> None:
    status, entries = finalise(STORE, found(revision(Outcome.READY)))
    assert [c.type for c in status.conditions] == list(CONDITION_TYPES)
    assert {c.status for c in status.conditions} == {"True"}
    assert status.message == f"Serving {URL}"
    assert (status.progress.done, status.progress.total) == (7, 7)
    assert status.ready_at == NOW
    assert any(e.reason == "Ready" for e in entries)


def test_the_sum_says_the_first_thing_that_is_wrong() -> None:
    status, _ = finalise(STORE, found(revision(Outcome.PROGRESSING), observed=SICK))
    ready = next(c for c in status.conditions if c.type == "Ready")
    assert (ready.status, ready.reason, ready.message) == ("False", BAD.reason, BAD.message)
    assert status.message == BAD.message


def test_a_failed_revision_gives_its_own_words() -> None:
    status, _ = finalise(STORE, found(revision(Outcome.FAILED, message="Not Ready within 10 min")))
    assert status.message == "Not Ready within 10 min"


def test_transition_times_change_only_with_the_status() -> None:
    first, _ = finalise(STORE, found(revision(Outcome.READY)))
    later = replace(found(revision(Outcome.READY), observed=SICK), now=NOW + timedelta(minutes=1))
    second, entries = finalise(replace(STORE, status=first), later)
    times = {c.type: c.last_transition_time for c in second.conditions}
    assert times["RouteReady"] == NOW
    assert times["DatabaseReady"] == NOW + timedelta(minutes=1)
    assert second.ready_at == NOW, "since when it was Ready stays known while it is Degraded"
    assert {e.reason for e in entries} == {"Degraded", "DatabaseReady"}


def test_the_same_findings_say_nothing_new() -> None:
    first, _ = finalise(STORE, found(revision(Outcome.READY)))
    second, entries = finalise(replace(STORE, status=first), found(revision(Outcome.READY)))
    assert second == first
    assert entries == []


def test_an_unreachable_cluster_makes_ready_unknown_but_keeps_the_phase() -> None:
    ready, _ = finalise(STORE, found(revision(Outcome.READY)))
    status = unobserved(ready, "Waiting for the cluster: connection refused", NOW)
    assert status.phase is Phase.READY
    assert {c.type: c.status for c in status.conditions}["Ready"] == "Unknown"
    assert "connection refused" in status.message
    assert [c.type for c in status.conditions] == list(CONDITION_TYPES)


def test_progress_counts_steps_as_they_are_done() -> None:
    rev = revision(Outcome.PROGRESSING)
    none = finalise(STORE, found(replace(rev, applied_at=None), applied=None, observed={}))[0]
    applied = finalise(STORE, found(rev, observed={}))[0]
    database = finalise(STORE, found(rev, observed={"DatabaseReady": OK}))[0]
    assert [s.progress.done for s in (none, applied, database)] == [0, 3, 4]
