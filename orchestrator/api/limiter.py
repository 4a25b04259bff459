"""The rate limit: so many requests per token and as many per address, in fixed windows.

Why the address as well: a stranger without a token must not be able to guess tokens at full speed.
Invariants: memory is bounded whoever calls (addresses of one IPv6 /64 are one, and beyond
`MOST_KEYS` callers in one window newcomers share one count); only the peer's address counts, for
anybody can write X-Forwarded-For.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import MutableMapping
from typing import Any, Final

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from orchestrator.api.problems import Problem

MOST_KEYS: Final = 4096
STATE_KEY: Final = "urumi.rate_limit"
Scope = MutableMapping[str, Any]


class RateLimiter:
    """Counts requests. ``rate`` such as ``600/minute``, None for no limit."""

    def __init__(self, rate: str | None) -> None:
        self._item: RateLimitItem | None = parse(rate) if rate else None
        self._storage = MemoryStorage()
        self._strategy = FixedWindowRateLimiter(self._storage)

    @property
    def size(self) -> int:
        """How many callers are being counted."""
        return len(self._storage.storage)

    async def check(self, scope: Scope, kind: str, who: str) -> None:
        """Count one request of ``who`` and leave the headers in the scope. Errors: Problem 429."""
        if self._item is None:
            return
        identity = (kind, who)
        if self.size >= MOST_KEYS and not await self._known(identity):
            identity = (kind, "everybody else")
        allowed = await self._strategy.hit(self._item, *identity)
        stats = await self._strategy.get_window_stats(self._item, *identity)
        reset = max(1, math.ceil(stats.reset_time - time.time()))
        headers = _headers(self._item, stats.remaining, reset)
        earlier = scope.get(STATE_KEY)
        if earlier is None or int(earlier["RateLimit-Remaining"]) >= stats.remaining:
            scope[STATE_KEY] = headers
        if not allowed:
            raise Problem(
                "rate-limit",
                f"More than {self._item.amount} requests per {self._item.GRANULARITY.name} "
                f"from this {kind}; again in {reset} s",
                headers={"Retry-After": str(reset)},
            )

    async def _known(self, identity: tuple[str, str]) -> bool:
        assert self._item is not None
        return await self._storage.get(self._item.key_for(*identity)) > 0


def address_of(scope: Scope) -> str:
    """Return whom an address stands for: the peer, or its /64 if IPv6."""
    client = scope.get("client")
    host = str(client[0]) if client else "unknown"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host[:64]
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address.packed[:8] + bytes(8), 64)))
    return host


def _headers(item: RateLimitItem, remaining: int, reset: int) -> dict[str, str]:
    return {
        "RateLimit-Limit": str(item.amount),
        "RateLimit-Remaining": str(max(0, remaining)),
        "RateLimit-Reset": str(reset),
    }
