"""Quantities (``500m``, ``1Gi``): their values and the one way in which an API server writes them.

Follows ``k8s.io/apimachinery/pkg/api/resource``: a number keeps its family of suffixes (binary,
decimal, exponent) and is written as an integer with the largest suffix that leaves no fraction.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache

PATTERN = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
_FORM = re.compile(
    r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?[0-9]+)?"
)
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SMALLEST = Decimal("1e-9")


class QuantityError(ValueError):
    """The text is not a quantity."""


@lru_cache(maxsize=4096)
def _split(text: str) -> tuple[Decimal, str]:
    found = _FORM.fullmatch(text)
    if found is None:
        raise QuantityError(f"quantities must match the regular expression '{PATTERN}'")
    number, suffix = Decimal(found[1]), found[2] or ""
    if suffix in _BINARY:
        return number * (Decimal(1024) ** _BINARY[suffix]), "binary"
    if suffix in _DECIMAL:
        return number.scaleb(_DECIMAL[suffix]), "decimal"
    exponent = int(suffix[1:])
    if abs(exponent) > 30:
        raise QuantityError(f"quantities must match the regular expression '{PATTERN}'")
    return number.scaleb(exponent), "exponent"


def value_of(text: object) -> Decimal:
    """Return the number that a quantity stands for; raises ``QuantityError``."""
    return _split(str(text))[0]


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """Return a quantity as the API server writes it; raises ``QuantityError``."""
    number, family = _split(text)
    if number and abs(number) < _SMALLEST:
        number = _SMALLEST.copy_sign(number)
    number = number.quantize(_SMALLEST, rounding=ROUND_CEILING) if number % _SMALLEST else number
    return write(number, family)


def write(number: Decimal, family: str = "decimal") -> str:
    """Return the number in the family's form."""
    if family == "binary" and (abs(number) < 1024 or number != number.to_integral_value()):
        family = "decimal"
    if not number:
        return "0"
    if family == "binary":
        return _binary(int(number))
    exponent = _exponent(number)
    mantissa = int(number.scaleb(-exponent))
    if family == "exponent":
        return f"{mantissa}e{exponent}" if exponent else str(mantissa)
    suffix = next(s for s, e in _DECIMAL.items() if e == exponent)
    return f"{mantissa}{suffix}"


def _binary(number: int) -> str:
    power = 0
    while number % 1024 == 0 and power < 6:
        number //= 1024
        power += 1
    return f"{number}{next((s for s, p in _BINARY.items() if p == power), '')}"


def _exponent(number: Decimal) -> int:
    for exponent in (18, 15, 12, 9, 6, 3, 0, -3, -6):
        if number.scaleb(-exponent) == number.scaleb(-exponent).to_integral_value():
            return exponent
    return -9


def add(first: str, second: str) -> str:
    """Return the sum, in the family of the first that is not zero."""
    one, family = _split(first)
    two, other = _split(second)
    return write(one + two, family if one else other)


def subtract(first: str, second: str) -> str:
    """Return the difference, in the first's family."""
    one, family = _split(first)
    return write(one - _split(second)[0], family)
