"""The command line: it speaks to a running API, renders without one, and starts the service.

Commands import what is dear only when they run, so that `urumi version` answers at once.
"""

from orchestrator.cli.app import build_cli

__all__ = ["build_cli"]
