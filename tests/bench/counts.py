"""What the API server was asked, by its own count: ``apiserver_request_total``.

It does not say by whom. So only what nobody but a contestant does is counted: applies, and other
writes to kinds of a store's objects that no controller writes to (a status is not the object).
"""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Final

from tests.contract.wire import Api, collection

_LINE: Final = re.compile(r"^apiserver_request_total\{(.*)\} (\S+)$", re.M)
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')
_OURS: Final = frozenset(
    (
        "namespaces", "secrets", "resourcequotas", "limitranges", "networkpolicies", "services",
        "persistentvolumeclaims", "statefulsets", "deployments", "cronjobs", "ingresses",
    )
)  # fmt: skip
_WRITES: Final = frozenset(("POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"))
_QUIET: Final = 1.0
_PATIENCE: Final = 60.0


class Counts:
    """Reads the counters, as the administrator."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def requests(self) -> Counter[tuple[str, str, str]]:
        """Return how often there was each of verb, resource and subresource."""
        found: Counter[tuple[str, str, str]] = Counter()
        for labels, value in _LINE.findall(self._api.get("/metrics").text):
            of = dict(_LABEL.findall(labels))
            found[of["verb"], of["resource"], of["subresource"]] += int(float(value))
        return found

    def writes(self) -> int:
        """Return how many writes the contestants have sent, to all appearances."""
        return sum(
            count
            for (verb, resource, sub), count in self.requests().items()
            if verb == "APPLY" or (verb in _WRITES and resource in _OURS and not sub)
        )

    def settle(self) -> None:
        """Wait until nobody has anything left to write: etcd's revision stands still."""
        deadline = time.monotonic() + _PATIENCE
        before = ""
        while (now := self._revision()) != before and time.monotonic() < deadline:
            before = now
            time.sleep(_QUIET)

    def _revision(self) -> str:
        listed = self._api.get(collection("Namespace"), limit="1").json()
        return str(listed["metadata"]["resourceVersion"])
