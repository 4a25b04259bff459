"""One write on its way through admission, validation and storage."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.sandbox.resources import Resource
from orchestrator.sandbox.values import Json


@dataclass(frozen=True)
class Options:
    """How a write was asked for.

    ``validation`` is Strict, Warn or Ignore (unknown fields). ``warnings`` collects what the
    answer's Warning headers say.
    """

    manager: str = "unknown"
    dry_run: bool = False
    validation: str = "Warn"
    force: bool = False
    subresource: str = ""
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class DeleteOptions:
    """What may go with a delete; ``grace`` is in seconds."""

    uid: str | None = None
    resource_version: str | None = None
    propagation: str | None = None
    grace: int | None = None
    dry_run: bool = False


@dataclass
class Operation:
    """A create (``old`` is None) or an update; admission may change ``new`` in place."""

    resource: Resource
    new: Json
    old: Json | None
    options: Options

    @property
    def namespace(self) -> str:
        """The namespace of the object; empty for cluster-wide kinds."""
        found: str = self.new["metadata"].get("namespace", "")
        return found

    @property
    def name(self) -> str:
        """The name of the object."""
        found: str = self.new["metadata"].get("name", "")
        return found
