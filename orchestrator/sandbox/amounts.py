"""What a pod asks for in sum: requests and limits over its containers."""

from __future__ import annotations

from orchestrator.sandbox.quantity import add, value_of
from orchestrator.sandbox.values import Json

Amounts = dict[str, str]


def pod_amounts(spec: Json, part: str) -> Amounts:
    """Return the sum of ``requests`` or ``limits``.

    Main containers and restartable init containers run together; other init containers run alone
    before them, so the greater of the two counts.
    """
    total: Amounts = {}
    first: Amounts = {}
    for container in spec.get("initContainers") or ():
        amounts = _of(container, part)
        if container.get("restartPolicy") == "Always":
            total = plus(total, amounts)
        else:
            first = greater(first, amounts)
    for container in spec.get("containers") or ():
        total = plus(total, _of(container, part))
    return plus(greater(total, first), spec.get("overhead") or {})


def _of(container: Json, part: str) -> Amounts:
    found: Amounts = (container.get("resources") or {}).get(part) or {}
    return found


def plus(one: Amounts, two: Amounts) -> Amounts:
    """Return the sums by name."""
    out = dict(one)
    for name, amount in two.items():
        out[name] = add(out[name], amount) if name in out else amount
    return out


def greater(one: Amounts, two: Amounts) -> Amounts:
    """Return the greater amount of each name."""
    out = dict(one)
    for name, amount in two.items():
        if name not in out or value_of(amount) > value_of(out[name]):
            out[name] = amount
    return out
