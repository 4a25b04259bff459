"""Simulated controllers: placeholder until they move in."""

from __future__ import annotations

import asyncio

from orchestrator.sandbox.registry import Registry


async def run_controllers(registry: Registry, *, speed: float) -> None:
    """Run until cancelled."""
    await asyncio.Event().wait()
