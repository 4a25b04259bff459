"""The named steps of one pass over one store, in order.

revise (render, begin a revision) → guard (namespace, credentials) → record the inventory → apply →
prune → observe → judge (Ready, out of time, or go on) → finalise. Deletion and failure have their
own. Each step may be the last thing that ever ran: the next pass finds out and goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.applier import KEPT, WORKLOADS, Drift, NamespaceState
from orchestrator.model.changeset import Action, ChangeSet
from orchestrator.model.errors import (
    ApplyConflict,
    ClusterRejected,
    ClusterUnreachable,
    InvalidObject,
    NamespaceNotOurs,
    NamespaceTerminating,
    ObjectHeldByHelm,
)
from orchestrator.model.health import Health, HealthStatus
from orchestrator.model.inventory import Inventory, InventoryItem
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.model.names import UID_ANNOTATION
from orchestrator.model.store import Outcome, Revision, Trigger
from orchestrator.model.timeline import EntryType, NewEntry, Severity
from orchestrator.reconciler import credentials, drift, failure, masking, report, teardown
from orchestrator.reconciler.context import Pass
from orchestrator.reconciler.volumes import fit_claims, kept_sizes, lost_claims
from orchestrator.telemetry import get_logger

log = get_logger(__name__)

_SOON = timedelta(seconds=1)
_CREATE_ONLY = "create-only"


async def reconcile(run: Pass) -> datetime:
    """Take one store as far as it can go now; return when to look again at the latest."""
    seen = run.tools.watcher.view(run.store.id).of_record(run.store.uid)
    run.view = await masking.legible(run.tools.cluster, seen)
    pending = run.tools.expectations.pending(run.store.id, run.view.objects)
    run.live = {**run.view.objects, **pending}
    run.settled = not pending
    await revise(run)
    if run.current.outcome is Outcome.FAILED:
        next_look = await failure.after(run)
        if next_look is not None:
            return next_look
        run.kept = True
    problem = await bring_up(run)
    if problem is not None:
        run.applied = problem
        run.blocked = True
    await report.observe(run)
    return await judge(run)


async def revise(run: Pass) -> None:
    """Render the desired state and begin a revision where the current one is not of it."""
    tools, store = run.tools, run.store
    run.rendered = tools.renderer.render(store.id, store.uid, store.spec, tools.profile)
    trigger = due_trigger(run, run.rendered.digest)
    if trigger is None:
        return
    before = run.revision.inventory if run.revision else Inventory()
    run.revision = await tools.records.revisions.begin(
        run.claim,
        trigger=trigger,
        generation=store.generation,
        attempt=store.attempt,
        spec=store.spec,
        template_digest=run.rendered.digest,
        inventory=_planned(run, run.rendered.objects, before),
        entry=lambda number: NewEntry(
            EntryType.REVISION,
            "RevisionStarted",
            f"Revision {number} of generation {store.generation} began ({trigger})",
        ),
    )
    run.recorded = run.revision


def due_trigger(run: Pass, digest: str) -> Trigger | None:
    """Return why a new revision is needed, or None when the current one stands."""
    store, latest = run.store, run.revision
    if latest is None:
        return Trigger.CREATE
    if latest.generation != store.generation:
        return Trigger.ROLLBACK if _is_revert(run, latest) else Trigger.UPDATE
    if latest.attempt != store.attempt:
        return Trigger.RETRY
    if latest.template_digest == digest:
        return None
    # A first install that failed waits for a retry; a shop that served gets what was mended.
    taken_down = latest.outcome is Outcome.FAILED and run.last_ready is None
    return None if taken_down else Trigger.TEMPLATE


def _is_revert(run: Pass, latest: Revision) -> bool:
    """Whether the newest generation is the one that a failed revision's revert wrote."""
    return (
        latest.outcome is Outcome.FAILED
        and latest.trigger is not Trigger.ROLLBACK
        and run.store.generation == latest.generation + 1
        and run.last_ready is not None
        and run.last_ready.spec == run.store.spec
    )


def _planned(run: Pass, objects: Sequence[Json], before: Inventory) -> Inventory:
    """The inventory to record: what we render, the Secret made once, what is still to be pruned."""
    secret = credentials.secret_ref(run.store.namespace)
    rest = Inventory(tuple(i for i in before.items if i.ref != secret))
    planned = run.tools.applier.planned(objects, rest)
    return Inventory((*planned.items, InventoryItem(secret, _CREATE_ONLY)))


async def bring_up(run: Pass) -> Health | None:
    """Guard, apply, prune; return what stood in the way, explained, or None."""
    try:
        secret = await guard(run)
        volumes = await apply(run, hold=secret is not None)
    except NamespaceTerminating as exc:
        return _blocked("NamespaceTerminating", str(exc))
    except NamespaceNotOurs as exc:
        return await _refused(run, "NamespaceNotOurs", str(exc))
    except ObjectHeldByHelm as exc:
        return await _refused(run, "HeldByHelm", str(exc))
    except ApplyConflict as exc:
        report.start_clock(run)
        return _blocked("FieldConflict", str(exc))
    except InvalidObject as exc:
        report.start_clock(run)
        return await _refused(run, "Invalid", f"The cluster refuses the store's objects: {exc}")
    except ClusterRejected as exc:
        report.start_clock(run)
        return _blocked(exc.reason or "Rejected", f"The cluster does not allow it: {exc}")
    except ClusterUnreachable as exc:
        if exc.code != 500:
            raise
        report.start_clock(run)
        return _blocked("InternalError", f"The cluster fails at it: {exc}")
    run.lost = run.last_ready is not None and bool(volumes or secret)
    if volumes:
        keys = [credentials.secret_ref(run.store.namespace)] if secret else []
        return _data_lost([*volumes, *keys])
    return secret


def _blocked(reason: str, message: str) -> Health:
    return Health(HealthStatus.DEGRADED, reason, message)


async def _refused(run: Pass, reason: str, message: str) -> Health:
    """A refusal that will not change by itself fails a revision that was never Ready at once."""
    if run.current.outcome is Outcome.PROGRESSING:
        await failure.fail(run, message)
    return _blocked(reason, message)


async def guard(run: Pass) -> Health | None:
    """See that the namespace is there and ours, and the credentials too."""
    if run.rendered is None:
        raise RuntimeError("guard comes after revise")
    namespace = run.rendered.objects[0]
    ref = ObjectRef.of(namespace)
    if not _is_ours(run, ref):
        change, run.live[ref] = await run.tools.applier.ensure_namespace(namespace)
        if change.action is Action.CREATED:
            run.new_home = True
            # Whatever the watch still shows was in another namespace of that name.
            run.live = {ref: run.live[ref]}
            run.tools.expectations.forget(run.store.id)
            _say_created(run, change.ref)
    return await credentials.ensure(run)


def _say_created(run: Pass, ref: ObjectRef) -> None:
    if run.current.applied_at is None:
        run.say(EntryType.APPLY, "NamespaceCreated", f"Created {ref}", ref=ref)
        return
    run.remade = True
    text = f"{ref} was deleted by somebody else, with everything in it; made anew"
    run.say(EntryType.DRIFT, "Drifted", text, Severity.ERROR, ref=ref)


def _is_ours(run: Pass, ref: ObjectRef) -> bool:
    """Whether the watch shows the namespace alive and with this record's uid."""
    meta = run.live.get(ref, {}).get("metadata") or {}
    notes = meta.get("annotations") or {}
    return notes.get(UID_ANNOTATION) == run.store.uid and "deletionTimestamp" not in meta


async def apply(run: Pass, *, hold: bool) -> list[ObjectRef]:
    """Record the inventory, send what is not there yet, prune what is no longer wanted.

    Returns the volumes that are gone: an empty one is never passed off as the old one. While data
    is lost, or with ``hold``, running workloads are left as they are: new pods could not start.
    """
    if run.rendered is None:
        raise RuntimeError("apply comes after revise")
    tools, revision = run.tools, run.current
    await _look_closer(run)
    objects = fit_claims(run.rendered.objects, run.live, expandable=_expandable(run))
    if revision.applied_at is None:
        for ref, why in kept_sizes(run.rendered.objects, objects):
            run.say(EntryType.APPLY, "VolumeKept", why, ref=ref)
    planned = _planned(run, objects, revision.inventory)
    run.revision = replace(revision, inventory=planned)
    await run.record()
    drifts = await _drifted(run, objects, revision.inventory)
    lost = lost_claims(objects, run.live, _once(run))
    left = {*lost, *drift.left_alone(run, drifts)}
    if hold or lost:
        left |= {ref for ref in run.live if ref.kind in WORKLOADS}
    sent = await tools.applier.apply(
        [o for o in objects if o["kind"] != "Secret" and ObjectRef.of(o) not in left],
        inventory=planned,
        live=run.live,
        policy=tools.policy.on_conflict,
    )
    tools.expectations.remember(run.store.id, sent.live)
    if revision.applied_at is not None:
        drift.report(run, drifts, sent.live)
    if sent.problem is not None:
        run.revision = replace(run.current, inventory=sent.inventory)
        drift.report_changes(run, sent.changes)
        raise sent.problem
    report.start_clock(run)
    keep = {ObjectRef.of(o) for o in objects} | {credentials.secret_ref(run.store.namespace)}
    pruned, inventory = await tools.applier.prune(keep=keep, inventory=sent.inventory)
    run.revision = replace(run.current, inventory=inventory)
    changes = sent.changes + pruned
    steady = ChangeSet(tuple(c for c in changes if not drift.is_contested(run, c.ref)))
    run.settled = run.settled and not steady.changed
    drift.report_changes(run, changes)
    count = sum(1 for item in inventory.items if item.ref in keep)
    run.applied = Health(HealthStatus.HEALTHY, "Applied", f"{count} objects applied")
    return lost


def _once(run: Pass) -> frozenset[ObjectRef]:
    """Return what the shop consisted of when it was last Ready."""
    return (
        frozenset(i.ref for i in run.last_ready.inventory.items) if run.last_ready else frozenset()
    )


def _data_lost(lost: Sequence[ObjectRef]) -> Health:
    return _blocked(
        "DataLost",
        f"The shop's data is gone or going: somebody deleted {' and '.join(map(str, lost))}. "
        "Restore that from a backup, or delete the store and create it anew.",
    )


async def _look_closer(run: Pass) -> None:
    """Get what was applied and is not in the watch: deleted, or only without our labels."""
    once = _once(run)
    unseen = [
        i.ref
        for i in run.current.inventory.items
        if (i.live or (i.ref in once and i.ref.kind in KEPT)) and i.ref not in run.live
    ]
    found = await asyncio.gather(*(run.find(ref) for ref in unseen))
    there = {ref: obj for ref, obj in zip(unseen, found, strict=True) if obj is not None}
    if there and run.view is not None:
        run.live.update(there)
        run.view = run.view.with_objects(there)


async def _drifted(run: Pass, objects: Sequence[Json], inventory: Inventory) -> Sequence[Drift]:
    """Return what is not as we left it, by the API server's own word.

    The watch may be behind our last apply for longer than that is remembered: a store would be told
    of a change that nobody made.
    """
    applier = run.tools.applier
    drifts = applier.drifted(objects, inventory, run.live)
    changed = [d.ref for d in drifts if d.kind == "changed"]
    if not changed:
        return drifts
    found = await asyncio.gather(*(run.find(ref) for ref in changed))
    for ref, obj in zip(changed, found, strict=True):
        run.live.pop(ref)
        run.live |= {ref: obj} if obj is not None else {}
    return applier.drifted(objects, inventory, run.live)


def _expandable(run: Pass) -> bool:
    wanted = run.tools.profile.storage_class
    classes = run.view.storage_classes if run.view is not None else {}
    for name, cls in classes.items():
        notes = cls.get("metadata", {}).get("annotations") or {}
        default = notes.get("storageclass.kubernetes.io/is-default-class") == "true"
        if name == wanted or (wanted is None and default):
            return bool(cls.get("allowVolumeExpansion"))
    return False


async def judge(run: Pass) -> datetime:
    """Decide whether the revision is Ready, has run out of time, or goes on; then finalise."""
    policy = run.tools.policy
    before = run.current.outcome
    if before is not Outcome.READY:
        if run.settled and not run.blocked and report.everything_ok(run):
            _become_ready(run)
        elif before is Outcome.PROGRESSING:
            # A restore takes its time, and of a cluster that does not answer nothing is known.
            still = run.lost or run.tools.watcher.away
            (report.stand_still if still else report.tick)(run)
            if not still and run.current.elapsed >= policy.provision_timeout:
                await failure.fail(run, failure.out_of_time(run))
    due = run.now + _rest(run)
    await report.finalise(run, due=due)
    return due


def _rest(run: Pass) -> timedelta:
    """Return how long the store may be left alone when nothing is seen to change."""
    policy = run.tools.policy
    match run.current.outcome:
        case Outcome.FAILED if not run.kept:
            return timedelta()
        case Outcome.PROGRESSING:
            left = policy.provision_timeout - run.current.elapsed
            return timedelta(seconds=max(0.05, min(policy.progress_tick, left)))
        case _ if run.blocked:
            return timedelta(seconds=policy.progress_tick)
        case _:
            later = min(policy.resync, run.look_again or policy.resync)
            return timedelta(seconds=later) if run.settled else _SOON


def _become_ready(run: Pass) -> None:
    revision, now = run.current, run.now
    late = " (late: it had failed)" if revision.outcome is Outcome.FAILED else ""
    message = f"Ready after {revision.elapsed:.1f} s{late}"
    run.revision = replace(revision, outcome=Outcome.READY, message=message, ready_at=now)
    run.conclude("RevisionReady", f"Revision {revision.number} is Ready")


async def tear_down(run: Pass) -> datetime | None:
    """Delete the namespace; once the API server says that it is gone, the record goes too."""
    tools, store = run.tools, run.store
    try:
        state = await teardown.remove_namespace(run)
    except NamespaceNotOurs as exc:
        state = NamespaceState(gone=True, messages=())
        text = f"{exc} It was left as it is."
        run.say(EntryType.DELETION, "NamespaceLeftAlone", text, Severity.WARNING)
        log.warning("a namespace was left alone", reason=str(exc))
    if state.gone:
        tools.expectations.forget(store.id)
        tools.contested.forget(store.id)
        entry = NewEntry(EntryType.DELETION, "Deleted", f"Store {store.id} is gone")
        await tools.records.status.remove(run.claim, entry, run.entries)
        return None
    await report.finalise(run, note=_teardown_note(store.namespace, state.messages))
    return run.now + timedelta(seconds=2)


def _teardown_note(namespace: str, messages: Sequence[str]) -> str:
    if not messages:
        return f"Deleting Namespace/{namespace} and everything in it"
    return f"Deleting Namespace/{namespace}: " + "; ".join(messages)
