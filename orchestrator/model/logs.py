"""What containers say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

COMPONENTS: Final = ("database", "wordpress", "wp-cron")
MOST_LINES: Final = 2000
"""So many lines of each container may be asked for."""


@dataclass(frozen=True)
class LogQuery:
    """Whose last ``tail`` lines: of one component or all; ``previous``: before the last restart."""

    component: str | None = None
    tail: int = 100
    previous: bool = False


@dataclass(frozen=True)
class LogLine:
    """One line, and who said it."""

    pod: str
    container: str
    text: str

    def __str__(self) -> str:
        return f"[{self.pod}/{self.container}] {self.text}"
