"""Collects what is wrong with an object, in the words of ``k8s.io/apimachinery/.../field``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from orchestrator.sandbox.errors import FieldError
from orchestrator.sandbox.values import Json

Rule = Callable[[str], list[str]]


def shown(value: object) -> str:
    """Return a value as messages show it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Problems:
    """Field errors in the order in which they were found."""

    def __init__(self) -> None:
        self.found: list[FieldError] = []

    def invalid(self, field: str, value: object, why: str) -> None:
        """Note a wrong value."""
        self.found.append(FieldError(field, f"Invalid value: {shown(value)}: {why}"))

    def required(self, field: str, why: str = "") -> None:
        """Note a missing value."""
        text = f"Required value: {why}" if why else "Required value"
        self.found.append(FieldError(field, text, "FieldValueRequired"))

    def unsupported(self, field: str, value: object, supported: Iterable[str]) -> None:
        """Note a value that is none of the supported ones."""
        names = ", ".join(shown(s) for s in supported)
        text = f"Unsupported value: {shown(value)}: supported values: {names}"
        self.found.append(FieldError(field, text, "FieldValueNotSupported"))

    def duplicate(self, field: str, value: object) -> None:
        """Note a value that may be there only once."""
        self.found.append(
            FieldError(field, f"Duplicate value: {shown(value)}", "FieldValueDuplicate")
        )

    def forbidden(self, field: str, why: str) -> None:
        """Note a field that may not be set."""
        self.found.append(FieldError(field, f"Forbidden: {why}", "FieldValueForbidden"))

    def missing(self, field: str, value: object) -> None:
        """Note a reference to something that is not there."""
        self.found.append(FieldError(field, f"Not found: {shown(value)}", "FieldValueNotFound"))

    def too_long(self, field: str, limit: int) -> None:
        """Note a value with too many bytes."""
        text = f"Too long: may not be more than {limit} bytes"
        self.found.append(FieldError(field, text, "FieldValueTooLong"))

    def by_rule(self, field: str, value: str, rule: Rule) -> None:
        """Note everything that a rule on strings has to say."""
        for why in rule(value):
            self.invalid(field, value, why)

    def one_of(self, field: str, value: object, supported: Sequence[str]) -> None:
        """Note a value that is none of the supported ones."""
        if value not in supported:
            self.unsupported(field, value, supported)

    def not_negative(self, obj: Json, field: str, *names: str) -> None:
        """Note numbers below zero."""
        for name in names:
            value = obj.get(name)
            if isinstance(value, int) and value < 0:
                self.invalid(f"{field}.{name}", value, "must be greater than or equal to 0")

    def port(self, field: str, value: object) -> None:
        """Note a number that is no port."""
        if not isinstance(value, int) or not 1 <= value <= 65535:
            self.invalid(field, value, "must be between 1 and 65535, inclusive")

    def user_id(self, obj: Json, field: str, *names: str) -> None:
        """Note numbers that are no user or group id."""
        for name in names:
            value = obj.get(name)
            if isinstance(value, int) and not 0 <= value <= 2147483647:
                self.invalid(
                    f"{field}.{name}", value, "must be between 0 and 2147483647, inclusive"
                )
