"""Chance: some of the fields, one of the values, now and then a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

Json = dict[str, Any]
Maker = Callable[[Random], Json]
_QUANTITIES = ("100m", "0.5", "1", "1024Mi", "1Gi", "1e3", "500Mi", "2", "1.5Gi", 2, "0")
_NO_QUANTITIES = ("-1", "much", "1GiB", "")


def some(rng: Random, choices: dict[str, Any], chance: float = 0.5) -> Json:
    """Return some of the fields; a list stands for one of its entries, a function is called."""
    out: Json = {}
    for key, options in choices.items():
        if rng.random() < chance:
            out[key] = options(rng) if callable(options) else rng.choice(options)
    return out


def rarely(rng: Random, usual: Any, odd: Any, chance: float = 0.06) -> Any:
    """Return one of the usual values, now and then an odd one."""
    return rng.choice(odd if rng.random() < chance else usual)


def quantity(rng: Random) -> Any:
    """Return a quantity, now and then none at all."""
    return rarely(rng, _QUANTITIES, _NO_QUANTITIES, 0.03)
