"""What the timeline says of drift and changes, and what of it is left alone for a while."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from orchestrator.applier import Drift
from orchestrator.model.changeset import Action, ChangeSet
from orchestrator.model.kinds import ObjectRef
from orchestrator.model.timeline import EntryType, Severity
from orchestrator.reconciler.contested import PATIENCE
from orchestrator.reconciler.context import Pass


def report(run: Pass, drifts: Iterable[Drift], sent: Collection[ObjectRef]) -> None:
    """Say who changed what of an object that we had applied, once it is put back."""
    for found in drifts:
        if found.ref not in sent or (run.remade and found.ref.kind == "Namespace"):
            continue
        count = run.tools.contested.put_back(run.store.id, found.ref)
        if count <= PATIENCE:
            text, reason = f"{found}; put back", "Drifted"
        elif count == PATIENCE + 1:
            text, reason = f"{found} again and again; put back ever more rarely", "Contested"
        else:
            continue
        run.say(EntryType.DRIFT, reason, text, Severity.WARNING, ref=found.ref)


def left_alone(run: Pass, drifts: Iterable[Drift]) -> list[ObjectRef]:
    """Return what is not put back in this pass, and see that a later one looks again."""
    waits = {d.ref: run.tools.contested.wait(run.store.id, d.ref) for d in drifts}
    left = {ref: wait for ref, wait in waits.items() if wait > 0}
    if left:
        run.look_again = min(left.values())
    return list(left)


def is_contested(run: Pass, ref: ObjectRef) -> bool:
    """Whether somebody changes the object back as often as we put it back."""
    return run.tools.contested.is_contested(run.store.id, ref)


def report_changes(run: Pass, changes: ChangeSet) -> None:
    """Say what an apply and a prune did; of contested objects it was said once."""
    quiet = ChangeSet(tuple(c for c in changes if not is_contested(run, c.ref)))
    for change in quiet:
        for conflict in change.conflicts:
            run.say(
                EntryType.DRIFT,
                "FieldTakenBack",
                f"Took back {conflict.field} of {change.ref} from manager {conflict.manager!r}",
                Severity.WARNING,
                ref=change.ref,
            )
        if change.action is Action.DELETED:
            run.say(EntryType.PRUNE, "Pruned", f"Deleted {change.ref}", ref=change.ref)
    made, set_ = quiet.count(Action.CREATED), quiet.count(Action.CONFIGURED)
    if made or set_:
        run.say(
            EntryType.APPLY,
            "Applied",
            f"Applied revision {run.current.number}: {made} created, {set_} configured, "
            f"{changes.count(Action.UNCHANGED)} unchanged",
        )
