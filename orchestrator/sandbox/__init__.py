"""The embedded Kubernetes API, for machines without a cluster.

It speaks the wire protocol of a kube-apiserver on loopback, so that production code meets it only
as an ordinary cluster address. It imports nothing of the orchestrator, and everything that a
person sees of it says that it is a simulation.
"""

from orchestrator.sandbox.server import Sandbox, SandboxOptions

__all__ = ["Sandbox", "SandboxOptions"]
