"""Quantities as a real API server (1.36) wrote them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orchestrator.sandbox.quantity import QuantityError, add, canonical, subtract, value_of


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("0.5", "500m"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.1Gi", "107374182400m"),
        ("0.5Ki", "512"),
        ("512", "512"),
        ("2048", "2048"),
        ("1000Ki", "1000Ki"),
        ("1000m", "1"),
        ("5000", "5k"),
        ("1E", "1E"),
        ("12e6", "12e6"),
        ("0", "0"),
        ("-1", "-1"),
        (".5", "500m"),
        ("1e3", "1e3"),
    ],
)
def test_canonical(sent: str, stored: str) -> None:
    assert canonical(sent) == stored
    assert canonical(stored) == stored
    assert value_of(sent) == value_of(stored) or "m" in stored


@pytest.mark.parametrize("wrong", ["", "abc", "1Zi", "1 Gi", "--1", "1e999", "1.2.3"])
def test_what_is_no_quantity(wrong: str) -> None:
    with pytest.raises(QuantityError, match="quantities must match"):
        canonical(wrong)


def test_sums() -> None:
    assert add("600m", "500m") == "1100m"
    assert add("512Mi", "512Mi") == "1Gi"
    assert add("0", "1Gi") == "1Gi"
    assert subtract("1", "250m") == "750m"
    assert value_of("2Gi") == Decimal(2 * 1024**3)
