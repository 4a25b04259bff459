"""CronJob health: switched off, working, or its last run failed."""

from __future__ import annotations

from orchestrator.model.health import Health
from orchestrator.model.kinds import Json
from orchestrator.watcher.fields import clean, mappings, spec, status, text
from orchestrator.watcher.health import pod
from orchestrator.watcher.health.words import component, degraded, healthy, title
from orchestrator.watcher.view import StoreView


def assess(cron: Json, view: StoreView) -> Health:
    """Judge a CronJob: its last finished run counts (status.lastSuccessfulTime)."""
    if spec(cron).get("suspend") is True:
        return healthy("Suspended", f"{title(cron)} is switched off")
    state = status(cron)
    started = text(state.get("lastScheduleTime"))
    succeeded = text(state.get("lastSuccessfulTime"))
    if not started:
        return healthy("Scheduled", f"{title(cron)} has not had to run yet")
    if mappings(state.get("active")) or succeeded >= started:
        return healthy("Scheduled", f"{title(cron)} ran last at {clean(started, 40)}")
    found = pod.explain(view.pods(component(cron))[:1], view)
    sentence = f"{title(cron)} did not succeed when it ran at {clean(started, 40)}"
    return found or degraded("LastRunFailed", sentence, cron)
