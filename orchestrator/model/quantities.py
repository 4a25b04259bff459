"""Kubernetes quantities as numbers (apimachinery's resource.Quantity)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_UNITS: Final[dict[str, Decimal | int]] = {
    "m": Decimal("0.001"), "": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50,
}  # fmt: skip
_QUANTITY: Final = re.compile(r"(\d+(?:\.\d+)?)([A-Za-z]*)")


def exact(quantity: str) -> Decimal:
    """Return a quantity (``500m``, ``2Gi``) as a number; 0 for what is none."""
    match = _QUANTITY.fullmatch(quantity)
    if match is None or match[2] not in _UNITS:
        return Decimal(0)
    return Decimal(match[1]) * _UNITS[match[2]]


def number_of(quantity: str) -> float:
    """Return a quantity as a float."""
    return float(exact(quantity))
