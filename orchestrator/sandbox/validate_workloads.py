"""Rules on workloads: Deployments, StatefulSets, ReplicaSets, Jobs, CronJobs, budgets."""

from __future__ import annotations

import re
import zoneinfo
from typing import Any

from orchestrator.sandbox import names, selectors
from orchestrator.sandbox.problems import Problems
from orchestrator.sandbox.validate_core import claim_spec
from orchestrator.sandbox.validate_pods import pod_spec
from orchestrator.sandbox.values import Json

_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
_COUNTS = ("replicas", "minReadySeconds", "revisionHistoryLimit")
_CRON_FIELD = re.compile(r"[-0-9A-Za-z*/,?]+")
_MACROS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")


def selector_is_good(problems: Problems, field: str, selector: Json) -> bool:
    """Check a LabelSelector; say whether it can be used."""
    before = len(problems.found)
    for key, value in (selector.get("matchLabels") or {}).items():
        problems.by_rule(f"{field}.matchLabels", key, names.qualified)
        problems.by_rule(f"{field}.matchLabels", value, names.label_value)
    for number, term in enumerate(selector.get("matchExpressions") or []):
        here = f"{field}.matchExpressions[{number}]"
        operator = term.get("operator", "")
        if operator not in _OPERATORS:
            problems.invalid(f"{here}.operator", operator, "not a valid selector operator")
        elif operator in ("In", "NotIn") and not term.get("values"):
            why = "must be specified when `operator` is 'In' or 'NotIn'"
            problems.required(f"{here}.values", why)
        elif operator in ("Exists", "DoesNotExist") and term.get("values"):
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            problems.forbidden(f"{here}.values", why)
        problems.by_rule(f"{here}.key", term.get("key", ""), names.qualified)
    return len(problems.found) == before


def _selected_template(problems: Problems, spec: Json, kind: str) -> None:
    selector = spec.get("selector")
    good = selector is not None
    if selector is None:
        problems.required("spec.selector")
    else:
        good = selector_is_good(problems, "spec.selector", selector)
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            problems.invalid("spec.selector", selector, f"empty selector is invalid for {kind}")
        elif not good:
            problems.invalid("spec.selector", selector, "invalid label selector")
    labels = spec["template"]["metadata"].get("labels") or {}
    matches = good and selectors.of_object(selector).matches(labels)
    if not matches and (good or selector is None):
        problems.invalid(
            "spec.template.metadata.labels",
            labels or None,
            "`selector` does not match template `labels`",
        )
    _template_of(problems, spec, kind)
    if "activeDeadlineSeconds" in (spec["template"].get("spec") or {}):
        field = "spec.template.spec.activeDeadlineSeconds"
        owner = "StatefulSet" if kind == "statefulset" else "ReplicaSet"
        problems.forbidden(field, f"activeDeadlineSeconds in {owner} is not Supported")


def _template_of(problems: Problems, spec: Json, kind: str) -> None:
    """Check the template; the claims of a StatefulSet come before and instead of its volumes."""
    found = spec["template"]
    claims = [claim["metadata"].get("name", "") for claim in spec.get("volumeClaimTemplates") or ()]
    if kind == "statefulset" and claims:
        inner = found.get("spec") or {}
        own = [v for v in inner.get("volumes") or () if v.get("name") not in claims]
        mounted = [{"name": n, "persistentVolumeClaim": {"claimName": n}} for n in claims]
        found = found | {"spec": inner | {"volumes": [*mounted, *own]}}
    template(problems, "spec.template", found, always=True)


def template(problems: Problems, field: str, found: Json, *, always: bool) -> None:
    """Check a pod template; ``always``: no other restart policy is allowed."""
    for key, value in (found["metadata"].get("labels") or {}).items():
        problems.by_rule(f"{field}.labels", key, names.qualified)
        problems.by_rule(f"{field}.labels", value, names.label_value)
    spec = found.get("spec") or {}
    pod_spec(problems, f"{field}.spec", spec)
    policy = spec.get("restartPolicy")
    if always and policy in ("OnFailure", "Never"):
        problems.unsupported(f"{field}.spec.restartPolicy", policy, ("Always",))


def deployment(problems: Problems, obj: Json) -> None:
    """Check a Deployment."""
    spec = obj["spec"]
    problems.not_negative(spec, "spec", *_COUNTS)
    _selected_template(problems, spec, "deployment")
    _strategy(problems, spec["strategy"])
    deadline, ready = spec.get("progressDeadlineSeconds"), spec.get("minReadySeconds", 0)
    problems.not_negative(spec, "spec", "progressDeadlineSeconds")
    if deadline is not None and deadline <= ready:
        why = "must be greater than minReadySeconds"
        problems.invalid("spec.progressDeadlineSeconds", deadline, why)


def _strategy(problems: Problems, strategy: Json) -> None:
    field, kind = "spec.strategy", strategy.get("type")
    rolling = strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            why = "may not be specified when strategy `type` is 'Recreate'"
            problems.forbidden(f"{field}.rollingUpdate", why)
    elif kind != "RollingUpdate":
        shown = rolling and {
            "MaxUnavailable": rolling.get("maxUnavailable"),
            "MaxSurge": rolling.get("maxSurge"),
        }
        value = {"Type": kind, "RollingUpdate": shown}
        problems.unsupported(field, value, ("Recreate", "RollingUpdate"))
    elif rolling is not None:
        down, up = rolling.get("maxUnavailable"), rolling.get("maxSurge")
        count_or_percent(problems, f"{field}.rollingUpdate.maxUnavailable", down)
        count_or_percent(problems, f"{field}.rollingUpdate.maxSurge", up)
        if _is_zero(down) and _is_zero(up):
            why = "may not be 0 when `maxSurge` is 0"
            problems.invalid(f"{field}.rollingUpdate.maxUnavailable", down, why)


def _is_zero(value: Any) -> bool:
    return value in (0, "0%")


def count_or_percent(problems: Problems, field: str, value: Any) -> None:
    """Check a number or a percentage."""
    if isinstance(value, str):
        wrong = names.percent(value)
        problems.by_rule(field, value, names.percent)
        if not wrong and int(value[:-1]) > 100 and not field.endswith("maxSurge"):
            problems.invalid(field, value, "must not be greater than 100%")
    elif isinstance(value, int) and value < 0:
        problems.invalid(field, value, "must be greater than or equal to 0")


def replica_set(problems: Problems, obj: Json) -> None:
    """Check a ReplicaSet."""
    problems.not_negative(obj["spec"], "spec", "replicas", "minReadySeconds")
    _selected_template(problems, obj["spec"], "replicaset")


def stateful_set(problems: Problems, obj: Json) -> None:
    """Check a StatefulSet."""
    spec = obj["spec"]
    policy = spec.get("podManagementPolicy")
    if policy not in ("OrderedReady", "Parallel"):
        why = "must be 'OrderedReady' or 'Parallel'"
        problems.invalid("spec.podManagementPolicy", policy, why)
    strategy = spec["updateStrategy"]
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind not in ("RollingUpdate", "OnDelete"):
        value = {"Type": kind, "RollingUpdate": rolling and _partition(rolling)}
        problems.invalid("spec.updateStrategy", value, "must be 'RollingUpdate' or 'OnDelete'")
    elif kind == "OnDelete" and rolling is not None:
        value = _partition(rolling)
        why = "only allowed for updateStrategy 'RollingUpdate'"
        problems.invalid("spec.updateStrategy.rollingUpdate", value, why)
    problems.not_negative(spec, "spec", *_COUNTS)
    problems.not_negative(spec.get("ordinals") or {}, "spec.ordinals", "start")
    _selected_template(problems, spec, "statefulset")
    retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    for key in ("whenDeleted", "whenScaled"):
        field = f"spec.persistentVolumeClaimRetentionPolicy.{key}"
        problems.one_of(field, retention.get(key), ("Retain", "Delete"))


def claim_templates(problems: Problems, obj: Json) -> None:
    """Check the claims of a new StatefulSet; later they cannot change."""
    for number, claim in enumerate(obj["spec"].get("volumeClaimTemplates") or []):
        claim_spec(problems, f"spec.volumeClaimTemplates[{number}].spec", claim["spec"])


def _partition(rolling: Json) -> Json:
    return {
        "Partition": rolling.get("partition"),
        "MaxUnavailable": rolling.get("maxUnavailable"),
    }


def job(problems: Problems, obj: Json) -> None:
    """Check a Job."""
    _job_spec(problems, "spec", obj["spec"])
    selector = obj["spec"].get("selector")
    labels = obj["spec"]["template"]["metadata"].get("labels") or {}
    if selector is None:
        problems.required("spec.selector")
    if selector is None or not selectors.of_object(selector).matches(labels):
        problems.invalid(
            "spec.template.metadata.labels", labels, "`selector` does not match template `labels`"
        )


def _job_spec(problems: Problems, field: str, spec: Json) -> None:
    problems.not_negative(
        spec,
        field,
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
    )
    template(problems, f"{field}.template", spec["template"], always=False)
    policy = (spec["template"].get("spec") or {}).get("restartPolicy")
    if policy == "Always":
        problems.required(
            f"{field}.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"'
        )


def cron_job(problems: Problems, obj: Json) -> None:
    """Check a CronJob."""
    spec = obj["spec"]
    schedule = spec.get("schedule", "")
    if not schedule:
        problems.required("spec.schedule")
    elif why := wrong_schedule(schedule):
        problems.invalid("spec.schedule", schedule, why)
    problems.not_negative(spec, "spec", "startingDeadlineSeconds")
    zone = spec.get("timeZone")
    if zone == "":
        problems.invalid("spec.timeZone", "", "timeZone must be nil or non-empty string")
    elif zone:
        try:
            zoneinfo.ZoneInfo(zone)
        except (ValueError, zoneinfo.ZoneInfoNotFoundError):
            problems.invalid("spec.timeZone", zone, f"unknown time zone {zone}")
    problems.one_of(
        "spec.concurrencyPolicy", spec.get("concurrencyPolicy"), ("Allow", "Forbid", "Replace")
    )
    inner = spec["jobTemplate"]["spec"]
    if "selector" in inner:
        why = "`selector` will be auto-generated"
        problems.invalid("spec.jobTemplate.spec.selector", inner["selector"], why)
    _job_spec(problems, "spec.jobTemplate.spec", inner)
    problems.not_negative(spec, "spec", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")


def wrong_schedule(schedule: str) -> str:
    """Return what is wrong with a cron schedule; empty when it is good."""
    if schedule in _MACROS or schedule.startswith("@every "):
        return ""
    fields = schedule.split()
    if schedule.startswith("@"):
        return f"unrecognized descriptor: {schedule}"
    if "TZ" in schedule:
        return "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
    if len(fields) != 5:
        return f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    bounds = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
    for text, (low, high) in zip(fields, bounds, strict=True):
        if not _CRON_FIELD.fullmatch(text):
            return f"failed to parse int from {text}"
        for part in re.findall(r"(?<![/\d])\d+", text):
            if int(part) < low:
                return f"beginning of range ({part}) below minimum ({low}): {text}"
            if int(part) > high:
                return f"end of range ({part}) above maximum ({high}): {text}"
    return ""


def disruption_budget(problems: Problems, obj: Json) -> None:
    """Check a PodDisruptionBudget."""
    spec = obj["spec"]
    low, high = spec.get("minAvailable"), spec.get("maxUnavailable")
    if low is not None and high is not None:
        value = {
            "MinAvailable": low,
            "Selector": spec.get("selector"),
            "MaxUnavailable": high,
            "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy"),
        }
        problems.invalid("spec", value, "minAvailable and maxUnavailable cannot be both set")
    count_or_percent(problems, "spec.minAvailable", low)
    count_or_percent(problems, "spec.maxUnavailable", high)
    if "selector" in spec:
        selector_is_good(problems, "spec.selector", spec["selector"])
    if (policy := spec.get("unhealthyPodEvictionPolicy")) is not None:
        allowed = ("AlwaysAllow", "IfHealthyBudget")
        problems.one_of("spec.unhealthyPodEvictionPolicy", policy, allowed)
