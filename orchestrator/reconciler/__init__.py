"""The reconciler: looks at what is desired and what is there, and does the next thing.

Level-triggered: no in-memory state matters. Killing it anywhere and starting it again ends in the
same place, because desired state, inventory, revision clock and claims are records.
"""

from orchestrator.reconciler.context import Policy, Tools
from orchestrator.reconciler.events import Events
from orchestrator.reconciler.logs import Logs
from orchestrator.reconciler.worker import Bell, Reconciler

__all__ = ["Bell", "Events", "Logs", "Policy", "Reconciler", "Tools"]
