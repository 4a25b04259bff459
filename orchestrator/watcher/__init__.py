"""What is in the cluster: a list-watch a kind over all stores, and health judged from it.

Nothing here decides or writes anything; the reconciler asks for views and judges with
``watcher.health``.
"""

from __future__ import annotations

from orchestrator.watcher.reflector import Timing
from orchestrator.watcher.view import StoreView
from orchestrator.watcher.watcher import Watcher

__all__ = ["StoreView", "Timing", "Watcher"]
