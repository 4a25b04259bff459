"""What the applier must never do, and what it says when it cannot go on."""

from __future__ import annotations

import asyncio
import copy

import pytest

from orchestrator.applier import WORKLOADS, Applied
from orchestrator.model.changeset import Action
from orchestrator.model.errors import (
    ClusterUnreachable,
    InvalidObject,
    NamespaceNotOurs,
    NamespaceTerminating,
    ObjectNotFound,
)
from orchestrator.model.inventory import Inventory
from orchestrator.model.kinds import Json, ObjectRef
from tests.applier.conftest import PATIENCE, World

FINALIZER = "example.com/hold"


async def bring_up(world: World) -> tuple[list[Json], Applied]:
    objects = list(world.render().objects)
    planned = world.applier.planned(objects, Inventory())
    return objects, await world.applier.apply(objects, inventory=planned, live={})


async def hold(world: World, ref: ObjectRef, *finalizers: str) -> None:
    """Set an object's finalizers as somebody else does."""
    api = ref.resource.api_version
    meta = {"name": ref.name, "namespace": ref.namespace, "finalizers": list(finalizers)}
    part = {"apiVersion": api, "kind": ref.kind, "metadata": meta}
    await world.cluster.apply(part, manager="holder", force=True)


async def gone(world: World, ref: ObjectRef) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await world.cluster.get(ref)
            except ObjectNotFound:
                return
            await asyncio.sleep(0.02)


async def test_an_error_ends_the_apply_and_what_was_done_is_not_sent_again(world: World) -> None:
    objects = list(world.render().objects)
    wrong = next(o for o in objects if o["kind"] == "Ingress")
    right = copy.deepcopy(wrong)
    wrong["spec"]["rules"][0]["host"] = "no host"
    planned = world.applier.planned(objects, Inventory())
    failed = await world.applier.apply(objects, inventory=planned, live={})
    assert isinstance(failed.problem, InvalidObject)
    assert str(failed.problem).startswith(f"Ingress/{world.namespace.name}/wordpress: ")
    assert not WORKLOADS & {c.ref.kind for c in failed.changes}, "later waves wait"
    assert {item.ref.kind for item in failed.inventory.items if not item.live} == {
        *WORKLOADS,
        "Ingress",
    }
    assert set(failed.inventory.refs) == {ObjectRef.of(o) for o in objects}

    objects = [right if o is wrong else o for o in objects]
    planned = world.applier.planned(objects, failed.inventory)
    live = await world.live(tuple(objects))
    mended = await world.applier.apply(objects, inventory=planned, live=live)
    assert mended.problem is None
    assert {ref.kind for ref in mended.live} == {*WORKLOADS, "Ingress"}


async def test_an_immutable_field_is_reported_with_the_object(world: World) -> None:
    objects, first = await bring_up(world)
    stateful = next(o for o in objects if o["kind"] == "StatefulSet")
    stateful["spec"]["serviceName"] = "another"
    planned = world.applier.planned(objects, first.inventory)
    live = await world.live(tuple(objects))
    refused = await world.applier.apply(objects, inventory=planned, live=live)
    assert isinstance(refused.problem, InvalidObject)
    assert f"StatefulSet/{world.namespace.name}/mysql" in str(refused.problem)


async def test_a_namespace_that_took_the_place_of_ours_is_not_adopted(world: World) -> None:
    """The watch still shows ours; the apply goes to the API server and must not hit theirs."""
    objects, first = await bring_up(world)
    stale = await world.live(tuple(objects))
    await world.end()
    theirs = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.namespace.name}}
    made = await world.cluster.create(theirs)
    objects[0]["metadata"]["labels"]["example.com/new"] = "label"
    planned = world.applier.planned(objects, first.inventory)
    result = await world.applier.apply(objects, inventory=planned, live=stale)
    assert isinstance(result.problem, NamespaceNotOurs)
    assert len(result.changes) == 0
    after = await world.cluster.get(world.namespace)
    assert after["metadata"].get("labels") == made["metadata"].get("labels")
    assert "annotations" not in after["metadata"]


async def test_a_namespace_that_is_gone_is_not_made_by_an_apply_of_what_was_seen(
    world: World,
) -> None:
    objects, first = await bring_up(world)
    stale = await world.live(tuple(objects))
    await world.end()
    objects[0]["metadata"]["labels"]["example.com/new"] = "label"
    planned = world.applier.planned(objects, first.inventory)
    result = await world.applier.apply(objects, inventory=planned, live=stale)
    assert result.problem is not None
    with pytest.raises(ObjectNotFound):
        await world.cluster.get(world.namespace)


async def test_a_namespace_of_ours_with_another_stores_id_is_not_ours(world: World) -> None:
    namespace = copy.deepcopy(world.render().objects[0])
    namespace["metadata"]["labels"]["stores.urumi.dev/id"] = "another"
    await world.cluster.create(namespace)
    with pytest.raises(NamespaceNotOurs, match=world.namespace.name):
        await world.applier.ensure_namespace(world.render().objects[0])
    with pytest.raises(NamespaceNotOurs):
        await world.applier.delete_namespace(world.store_id, world.uid)


async def test_a_namespace_that_is_going_takes_nothing_and_says_what_holds_it(
    world: World,
) -> None:
    objects, _ = await bring_up(world)
    held = world.ref("ConfigMap", "mysql")
    await hold(world, held, FINALIZER)
    try:
        state = await world.applier.delete_namespace(world.store_id, world.uid)
        assert not state.gone
        with pytest.raises(NamespaceTerminating, match=world.namespace.name):
            await world.applier.ensure_namespace(objects[0])
        late = [copy.deepcopy(o) for o in objects if o["kind"] == "ConfigMap"]
        for obj in late:
            obj["metadata"]["name"] += "-late"
        planned = world.applier.planned(late, Inventory())
        result = await world.applier.apply(late, inventory=planned, live={})
        assert isinstance(result.problem, NamespaceTerminating)
        async with asyncio.timeout(PATIENCE):
            while FINALIZER not in " ".join(state.messages):
                await asyncio.sleep(0.05)
                state = await world.applier.delete_namespace(world.store_id, world.uid)
    finally:
        await hold(world, held)
    await world.end()


async def test_the_namespaces_own_finalizer_is_named(world: World) -> None:
    await bring_up(world)
    await hold(world, world.namespace, FINALIZER)
    try:
        async with asyncio.timeout(PATIENCE):
            messages = ""
            while f"finalizers: {FINALIZER}" not in messages:
                state = await world.applier.delete_namespace(world.store_id, world.uid)
                messages = " ".join(state.messages)
                await asyncio.sleep(0.02)
    finally:
        await hold(world, world.namespace)
    await world.end()


async def test_a_pruned_object_that_a_finalizer_holds_stays_in_the_inventory(
    world: World,
) -> None:
    objects, first = await bring_up(world)
    route = world.ref("Ingress", "wordpress")
    keep = {ObjectRef.of(o) for o in objects} - {route}
    await hold(world, route, FINALIZER)
    inventory = first.inventory
    for _ in range(2):
        changes, inventory = await world.applier.prune(keep, inventory)
        (change,) = changes
        assert (change.ref, change.action) == (route, Action.SKIPPED)
        assert FINALIZER in change.reason
        assert route in inventory.refs
    await hold(world, route)
    await gone(world, route)
    changes, inventory = await world.applier.prune(keep, inventory)
    assert [c.action for c in changes] == [Action.DELETED]
    assert route not in inventory.refs


async def test_what_took_the_place_of_a_pruned_object_is_left_alone(world: World) -> None:
    objects, first = await bring_up(world)
    config = world.ref("ConfigMap", "mysql")
    await world.cluster.delete(config, uid=None)
    await gone(world, config)
    meta = {"name": config.name, "namespace": config.namespace}
    await world.cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    keep = {ObjectRef.of(o) for o in objects} - {config}
    changes, left = await world.applier.prune(keep, first.inventory)
    (change,) = changes
    assert change.action is Action.SKIPPED and "not managed by" in change.reason
    assert config in left.refs
    await world.cluster.get(config)


async def test_an_outage_while_pruning_is_one_plain_error(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects, first = await bring_up(world)

    async def away(ref: ObjectRef) -> Json:
        raise ClusterUnreachable(f"{ref}: no answer")

    monkeypatch.setattr(world.cluster, "get", away)
    with pytest.raises(ClusterUnreachable):
        await world.applier.prune({ObjectRef.of(objects[0])}, first.inventory)
    monkeypatch.undo()
