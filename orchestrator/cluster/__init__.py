"""The Kubernetes API as the rest of the service sees it: a thin raw wrapper, nothing typed.

The only importer of kubernetes_asyncio (and of aiohttp, on which it stands), and only once a client
is opened: importing it costs half a second. Requests go through its REST client as plain JSON,
because its typed models cost more than the server does. Invariants: every call has a timeout; what
is safe to repeat is repeated, a bounded number of times, with jitter, and Retry-After is honoured;
credentials that were refused are loaded again; every error is of our tree, its cause chained;
nothing is configured process-wide. A kubeconfig, an in-cluster account and the sandbox are the same
to everyone above.

    access     a kubeconfig or the pod's account → a configured client
    transport  one request: authentication, limits, timeouts, retries
    answers    what came back → an error of our tree, or an event
    gateway    the verbs
"""

from orchestrator.cluster.access import ClusterTarget
from orchestrator.cluster.answers import WatchEvent
from orchestrator.cluster.gateway import Cluster, ObjectList, connect
from orchestrator.cluster.transport import USER_AGENT, Timing

__all__ = [
    "USER_AGENT",
    "Cluster",
    "ClusterTarget",
    "ObjectList",
    "Timing",
    "WatchEvent",
    "connect",
]
