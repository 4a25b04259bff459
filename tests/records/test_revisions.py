from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.model.errors import Conflict, NotFound
from orchestrator.model.inventory import Inventory, InventoryItem
from orchestrator.model.kinds import ObjectRef
from orchestrator.model.store import Outcome, Trigger
from orchestrator.model.timeline import EntryType, NewEntry, Severity
from orchestrator.records import Records
from tests.records.support import ENTRY, Clock, begun, ended, make, revised, spec, sql, taken

BACK = NewEntry(EntryType.REVISION, "RollingBack", "going back", Severity.WARNING)
INVENTORY = Inventory(
    (
        InventoryItem(ObjectRef("Namespace", "", "store-acme"), "sha256:1", "sha256:2"),
        InventoryItem(ObjectRef("Secret", "store-acme", "store-credentials"), "create-only"),
    )
)


async def test_a_revision_reads_back_as_it_was_written(records: Records, clock: Clock) -> None:
    store = await make(records, "acme")
    claim = await taken(records)
    begin = await begun(records, claim, store)
    assert (begin.number, begin.outcome, begin.applied_at) == (1, Outcome.PROGRESSING, None)

    await revised(records, claim, 1, inventory=INVENTORY)
    applied = clock()
    clock.advance(2.5)
    await revised(records, claim, 1, applied_at=applied, elapsed=2.5, ticked_at=clock())
    evidence = {"events": [{"message": "NUL \x00, half an emoji \ud83d, quote ' and 🛒"}]}
    failed = {"outcome": Outcome.FAILED, "message": "It \x00 failed", "evidence": evidence}
    await revised(records, claim, 1, **failed)

    read = await records.revisions.get("acme", 1)
    assert read.inventory == INVENTORY
    assert (read.applied_at, read.elapsed, read.ticked_at) == (applied, 2.5, clock())
    assert (read.outcome, read.message) == (Outcome.FAILED, "It \ufffd failed")
    assert read.evidence == evidence
    assert read.spec == store.spec
    assert read == await records.revisions.latest("acme")


async def test_numbers_rise_and_an_unfinished_one_is_superseded(
    records: Records, clock: Clock
) -> None:
    store = await make(records, "acme")
    assert await records.revisions.latest("acme") is None
    assert await records.revisions.last_ready("acme") is None
    claim = await taken(records)
    await begun(records, claim, store)
    await ended(records, claim, 1, Outcome.READY, ready_at=clock())
    await begun(records, claim, store, Trigger.TEMPLATE)
    await begun(records, claim, store, Trigger.RETRY)

    page = await records.revisions.list("acme", 2, None)
    rest = await records.revisions.list("acme", 2, page.next_cursor)

    found = [(r.number, r.trigger, r.outcome) for r in page.items + rest.items]
    assert found == [
        (3, Trigger.RETRY, Outcome.PROGRESSING),
        (2, Trigger.TEMPLATE, Outcome.SUPERSEDED),
        (1, Trigger.CREATE, Outcome.READY),
    ]
    assert rest.next_cursor is None
    last = await records.revisions.last_ready("acme")
    assert last is not None and (last.number, last.ready_at) == (1, clock())


async def test_a_list_says_whether_there_is_evidence_without_loading_it(records: Records) -> None:
    store = await make(records, "acme")
    claim = await taken(records)
    await begun(records, claim, store)
    await ended(records, claim, 1, Outcome.FAILED, evidence={"events": ["big"]})
    await begun(records, claim, store)
    page = await records.revisions.list("acme", 10, None)
    assert [r.evidence for r in page.items] == [None, {}]


async def test_going_back_writes_the_old_spec_as_a_new_generation(records: Records) -> None:
    store = await make(records, "acme", name="good")
    claim = await taken(records)
    await begun(records, claim, store)
    await ended(records, claim, 1, Outcome.READY)
    bad = await records.stores.change_spec("acme", spec("bad"), if_generation=1, entry=ENTRY)
    await begun(records, claim, bad, Trigger.UPDATE)
    await ended(records, claim, 2, Outcome.FAILED)

    reverted = await records.revisions.revert(claim, failed=2, to=1, entry=BACK)

    assert (reverted.generation, reverted.spec.name) == (3, "good")
    assert (await records.timeline.list("acme", 0, 50))[-1].reason == "RollingBack"
    # Once more changes nothing: the failed revision is not of the newest generation any more.
    assert await records.revisions.revert(claim, failed=2, to=1, entry=BACK) == reverted


async def test_going_back_never_undoes_what_was_asked_for_since(records: Records) -> None:
    store = await make(records, "acme", name="good")
    claim = await taken(records)
    await begun(records, claim, store)
    bad = await records.stores.change_spec("acme", spec("bad"), if_generation=1, entry=ENTRY)
    await begun(records, claim, bad, Trigger.UPDATE)
    wanted = await records.stores.change_spec("acme", spec("new"), if_generation=2, entry=ENTRY)
    assert await records.revisions.revert(claim, failed=2, to=1, entry=BACK) == wanted
    going = await records.stores.request_delete("acme", ENTRY)
    assert await records.revisions.revert(claim, failed=2, to=1, entry=BACK) == going


async def test_going_back_to_a_domain_that_is_somebody_elses_by_now(
    records: Records, url: str
) -> None:
    store = await make(records, "acme", name="good", domain="shop.example.com")
    claim = await taken(records)
    await begun(records, claim, store)
    bad = await records.stores.change_spec("acme", spec("bad"), if_generation=1, entry=ENTRY)
    await begun(records, claim, bad, Trigger.UPDATE)
    await make(records, "other", domain="shop.example.com")

    with pytest.raises(Conflict, match=r"shop\.example\.com"):
        await records.revisions.revert(claim, failed=2, to=1, entry=BACK)
    assert await records.stores.get("acme") == bad


async def test_revisions_that_are_not_there(records: Records) -> None:
    store = await make(records, "acme")
    claim = await taken(records)
    first = await begun(records, claim, store)
    for number in (0, 7, 10**30):
        with pytest.raises(NotFound):
            await records.revisions.get("acme", number)
    with pytest.raises(NotFound):
        await records.revisions.save(claim, first, replace(first, number=7, elapsed=1.0))


async def test_a_spec_that_broke_a_rule_made_since_can_still_be_read(
    records: Records, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = await make(records, "acme")
    claim = await taken(records)
    await begun(records, claim, store)
    old = (
        '{"name":"Old","engine":"magento","plan":"huge","gone":1,"versions":{"mysql":"5.7"},'
        '"options":{"currency":"EUR","theme":"x"}}'
    )
    await sql(url, "UPDATE stores SET spec = $1 WHERE id = 'acme' RETURNING id", old)
    await sql(url, "UPDATE revisions SET spec = $1 RETURNING number", old)

    read = await records.stores.get("acme")
    revision = await records.revisions.get("acme", 1)

    for found in (read.spec, revision.spec):
        assert (found.name, found.plan, found.engine) == ("Old", "huge", "magento")
        assert (found.versions.mysql, found.versions.wordpress) == ("5.7", "")
        assert (found.options.currency, found.options.title) == ("EUR", "Old")
    assert read.spec.to_json()["plan"] == "huge"
