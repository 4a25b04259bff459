"""The codes that WooCommerce knows: currencies, countries and their states.

Asked of what people send; what is stored was right when it came and stays readable. The file is
the chart's too. Source: WooCommerce 10.5, its currencies, i18n/countries and i18n/states.
"""

from __future__ import annotations

import json
from typing import Any, Final

from orchestrator.model.shipped import shipped

_TOLD: Final[dict[str, Any]] = json.loads(
    shipped("charts", "store", "files", "codes.json").read_text(encoding="utf-8")
)
_STATES: Final[dict[str, list[str]]] = _TOLD["countries"]
CURRENCIES: Final[tuple[str, ...]] = tuple(_TOLD["currencies"])
COUNTRIES: Final[tuple[str, ...]] = tuple(
    place
    for country, states in _STATES.items()
    for place in (country, *(f"{country}:{state}" for state in states))
)
"""A country alone, or with one of its states: ``DE``, ``US:CA``."""


def currency_problem(value: str) -> str | None:
    """Return the broken rule, worded after "must be", or None."""
    if value in CURRENCIES:
        return None
    return "the code of a currency that WooCommerce knows, such as USD or EUR"


def country_problem(value: str) -> str | None:
    """Return the broken rule, worded after "must be", or None."""
    country, colon, state = value.partition(":")
    states = _STATES.get(country)
    if states is None:
        return "the code of a country, with a state where you like, such as DE or US:CA"
    if not colon or state in states:
        return None
    if not states:
        return f"{country} alone, which has no states in WooCommerce"
    return f"{country} with a state that WooCommerce knows, such as {country}:{states[0]}"
