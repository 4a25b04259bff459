"""Users, their roles and tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """``admin`` sees and does all, ``member`` its own stores."""

    ADMIN = "admin"
    MEMBER = "member"


@dataclass(frozen=True)
class User:
    """A person or a machine that owns stores."""

    name: str
    role: Role
    created_at: datetime


@dataclass(frozen=True)
class Principal:
    """Who a request comes from, and the hash of what it showed: a session's, or a token's."""

    user: str
    role: Role
    token_id: str
    session: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    @property
    def is_admin(self) -> bool:
        """Whether every store is in reach."""
        return self.role is Role.ADMIN


@dataclass(frozen=True)
class Token:
    """A token without its secret."""

    id: str
    user: str
    name: str
    created_at: datetime
    last_used_at: datetime | None = None
