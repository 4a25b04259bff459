"""The applier against a Kubernetes API: the sandbox, or a real one (see conftest)."""

from __future__ import annotations

import copy

import pytest

from orchestrator.applier import Applied, ConflictPolicy
from orchestrator.model.changeset import Action
from orchestrator.model.errors import ApplyConflict, NamespaceNotOurs, ObjectHeldByHelm
from orchestrator.model.inventory import Inventory
from orchestrator.model.kinds import Json, ObjectRef
from tests.applier.conftest import World


async def bring_up(
    world: World, before: Inventory | None = None
) -> tuple[tuple[Json, ...], Applied]:
    objects = world.render().objects
    await world.applier.ensure_namespace(objects[0])
    planned = world.applier.planned(objects, before or Inventory())
    return objects, await world.applier.apply(objects, inventory=planned, live={})


async def test_a_store_is_created_whole_and_a_second_apply_sends_nothing(world: World) -> None:
    objects, first = await bring_up(world)
    assert first.problem is None
    assert len(first.changes) == len(objects)
    assert {item.ref for item in first.inventory.items} == {ObjectRef.of(o) for o in objects}
    assert all(item.live for item in first.inventory.items)
    live = await world.live(objects)
    assert set(live) == {ObjectRef.of(o) for o in objects}
    second = await world.applier.apply(objects, inventory=first.inventory, live=live)
    assert {c.action for c in second.changes} == {Action.UNCHANGED}
    assert second.live == {}, "nothing was sent"
    assert world.applier.drifted(objects, first.inventory, live) == []


async def test_a_changed_plan_configures_only_what_differs(world: World) -> None:
    objects, first = await bring_up(world)
    changed = world.render(plan="medium").objects
    changed = tuple(o for o in changed if o["kind"] != "PersistentVolumeClaim")
    planned = world.applier.planned(changed, first.inventory)
    live = await world.live(objects)
    again = await world.applier.apply(changed, inventory=planned, live=live)
    configured = {str(c.ref.kind) for c in again.changes if c.action is Action.CONFIGURED}
    assert {"StatefulSet", "Deployment", "ResourceQuota"} <= configured
    assert not configured & {"Service", "Ingress", "NetworkPolicy", "Namespace"}


async def test_another_managers_field_is_taken_back_and_named(world: World) -> None:
    objects, first = await bring_up(world)
    route = next(o for o in objects if o["kind"] == "Ingress")
    await steal(world, route)
    live = await world.live(objects)
    (drift,) = world.applier.drifted(objects, first.inventory, live)
    assert drift.kind == "changed" and "thief" in str(drift)
    assert ".spec.ingressClassName" in drift.fields
    back = await world.applier.apply(objects, inventory=first.inventory, live=live)
    (change,) = [c for c in back.changes if c.action is not Action.UNCHANGED]
    assert change.ref.kind == "Ingress"
    assert {(c.field, c.manager) for c in change.conflicts} == {(".spec.ingressClassName", "thief")}
    assert (await world.cluster.get(change.ref))["spec"]["ingressClassName"] == "traefik"


async def test_the_policy_stop_leaves_the_field_and_names_it(world: World) -> None:
    objects, first = await bring_up(world)
    route = next(o for o in objects if o["kind"] == "Ingress")
    await steal(world, route)
    live = await world.live(objects)
    stopped = await world.applier.apply(
        objects, inventory=first.inventory, live=live, policy=ConflictPolicy.STOP
    )
    assert isinstance(stopped.problem, ApplyConflict)
    assert f"Ingress/{world.namespace.name}/wordpress" in str(stopped.problem)
    assert [c.field for c in stopped.problem.causes] == [".spec.ingressClassName"]
    assert "thief" in stopped.problem.causes[0].message
    kept = await world.cluster.get(ObjectRef.of(route))
    assert kept["spec"]["ingressClassName"] == "stolen"


async def steal(world: World, route: Json) -> None:
    """Change a field of the Ingress as another field manager does: by a forced apply."""
    theirs = {
        "apiVersion": route["apiVersion"],
        "kind": "Ingress",
        "metadata": {"name": "wordpress", "namespace": world.namespace.name},
        "spec": {"ingressClassName": "stolen"},
    }
    await world.cluster.apply(theirs, force=True, manager="thief")


async def test_a_deleted_object_is_drift_and_comes_back(world: World) -> None:
    objects, first = await bring_up(world)
    service = world.ref("Service", "wordpress")
    await world.cluster.delete(service, uid=None)
    live = await world.live(objects)
    (drift,) = world.applier.drifted(objects, first.inventory, live)
    assert (drift.ref, drift.kind) == (service, "deleted")
    back = await world.applier.apply(objects, inventory=first.inventory, live=live)
    assert [c.ref for c in back.changes if c.action is Action.CREATED] == [service]


async def test_what_a_newer_revision_lacks_is_pruned_but_never_a_claim(world: World) -> None:
    objects, first = await bring_up(world)
    gone = {world.ref("Ingress", "wordpress"), world.ref("PersistentVolumeClaim", "wordpress")}
    keep = {ObjectRef.of(o) for o in objects} - gone
    changes, left = await world.applier.prune(keep, first.inventory)
    assert {(c.ref.kind, c.action) for c in changes} == {
        ("Ingress", Action.DELETED),
        ("PersistentVolumeClaim", Action.SKIPPED),
    }
    assert world.ref("Ingress", "wordpress") not in left.refs
    assert world.ref("PersistentVolumeClaim", "wordpress") in left.refs
    assert "PersistentVolumeClaim" in {ref.kind for ref in await world.live(objects)}, (
        "the claim is still there"
    )


async def test_a_field_removed_from_a_template_is_gone_after_the_next_apply(world: World) -> None:
    objects, first = await bring_up(world)
    trimmed = copy.deepcopy(list(objects))
    config = next(o for o in trimmed if o["kind"] == "ConfigMap")
    key = sorted(config["data"])[0]
    del config["data"][key]
    planned = world.applier.planned(trimmed, first.inventory)
    await world.applier.apply(trimmed, inventory=planned, live=await world.live(objects))
    assert key not in (await world.cluster.get(ObjectRef.of(config)))["data"]


@pytest.mark.parametrize("mark", ["unlabelled", "another uid"])
async def test_a_namespace_that_is_not_ours_is_neither_adopted_nor_deleted(
    world: World, mark: str
) -> None:
    namespace = copy.deepcopy(world.render().objects[0])
    if mark == "unlabelled":
        namespace["metadata"] = {"name": world.namespace.name}
    else:
        namespace["metadata"]["annotations"]["stores.urumi.dev/uid"] = "somebody-else"
    await world.cluster.create(namespace)
    with pytest.raises(NamespaceNotOurs, match=world.namespace.name):
        await world.applier.ensure_namespace(world.render().objects[0])
    with pytest.raises(NamespaceNotOurs):
        await world.applier.delete_namespace(world.store_id, world.uid)
    meta = (await world.cluster.get(world.namespace))["metadata"]
    assert "deletionTimestamp" not in meta
    assert meta.get("annotations", {}).get("stores.urumi.dev/uid") != world.uid


@pytest.mark.parametrize("watched", [True, False])
async def test_an_object_of_helm_is_never_touched(world: World, watched: bool) -> None:
    objects = world.render().objects
    await world.applier.ensure_namespace(objects[0])
    service = copy.deepcopy(next(o for o in objects if o["kind"] == "Service"))
    service["metadata"]["labels"]["app.kubernetes.io/managed-by"] = "Helm"
    before = await world.cluster.create(service)
    planned = world.applier.planned(objects, Inventory())
    live = await world.live(objects) if watched else {}
    applied = await world.applier.apply(objects, inventory=planned, live=live)
    assert isinstance(applied.problem, ObjectHeldByHelm)
    assert f"Service/{world.namespace.name}/" in str(applied.problem)
    after = await world.cluster.get(ObjectRef.of(service))
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


async def test_the_namespace_goes_with_everything_and_says_when_it_is_gone(world: World) -> None:
    objects, _ = await bring_up(world)
    await world.make_secret()
    await world.end()
    assert await world.live(objects) == {}
    assert (await world.applier.delete_namespace(world.store_id, world.uid)).gone
