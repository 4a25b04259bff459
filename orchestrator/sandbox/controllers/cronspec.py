"""Cron schedules: when the next and the last time is. Five fields, names, lists, ranges, steps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_MACROS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_DAYS: Final = "sun mon tue wed thu fri sat".split()
_BOUNDS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_HORIZON: Final = 366 * 5


class ScheduleError(ValueError):
    """The text is not a schedule."""


@dataclass(frozen=True)
class Schedule:
    """The minutes at which a schedule fires."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Read a schedule; raises ``ScheduleError``."""
        fields = _MACROS.get(text.strip().lower(), text).lower().split()
        if len(fields) != 5:
            raise ScheduleError(f"expected exactly 5 fields, found {len(fields)}: {text!r}")
        sets = [
            _field(f, *b, _names(i)) for i, (f, b) in enumerate(zip(fields, _BOUNDS, strict=True))
        ]
        weekdays = frozenset(day % 7 for day in sets[4])
        stars = fields[2][0] in "*?", fields[4][0] in "*?"
        return cls(sets[0], sets[1], sets[2], sets[3], weekdays, *stars)

    def after(self, moment: datetime) -> datetime | None:
        """Return the first time after the moment, or None within five years."""
        day = (moment + timedelta(minutes=1)).replace(second=0, microsecond=0)
        for _ in range(_HORIZON):
            if self._on(day):
                for hour in sorted(h for h in self.hours if h >= day.hour):
                    least = day.minute if hour == day.hour else 0
                    minute = min((m for m in self.minutes if m >= least), default=None)
                    if minute is not None:
                        return day.replace(hour=hour, minute=minute)
            day = (day + timedelta(days=1)).replace(hour=0, minute=0)
        return None

    def latest(self, since: datetime, until: datetime) -> datetime | None:
        """Return the last time in (since, until], or None."""
        found = None
        step = self.after(max(since, until - timedelta(days=1)))
        while step is not None and step <= until:
            found, step = step, self.after(step)
        return found

    def _on(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        of_month = day.day in self.days
        of_week = day.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return of_month and of_week
        return of_month or of_week


def _names(index: int) -> list[str]:
    return {3: ["", *_MONTHS], 4: _DAYS}.get(index, [])


def _field(text: str, low: int, high: int, names: list[str]) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span in ("*", "?"):
            start, end = low, high
        else:
            start = _number(first, names)
            end = _number(last, names) if dash else (high if step else start)
        every = _number(step, []) if step else 1
        if not (low <= start <= end <= high and every > 0):
            raise ScheduleError(f"{part!r} is not between {low} and {high}")
        found |= set(range(start, end + 1, every))
    return frozenset(found)


def _number(text: str, names: list[str]) -> int:
    if text in names and text:
        return names.index(text)
    if not text.isdigit():
        raise ScheduleError(f"{text!r} is not a number")
    return int(text)
