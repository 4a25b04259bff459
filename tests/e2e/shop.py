"""One store of the run: its document, its pods, its visitors."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import httpx

from tests.e2e.site import Site
from tests.system.server import Server, events, poll, wait_for_phase

Json = dict[str, Any]
START: Final = 180.0
"""Seconds that a store may take to come, or to come back, on a slow machine."""


@dataclass
class Shop:
    """A store that the run made. ``address`` is the ingress controller's, when it is given.

    ``asked`` is what the request holds besides id and name. ``seen`` is what ``/`` answered while
    somebody waited for Ready; ``lag`` is how many seconds after Ready it still did not answer 200.
    """

    server: Server
    api: httpx.Client
    id: str
    address: tuple[str, int] | None
    asked: Json
    seen: list[tuple[int, str]] = field(default_factory=list)
    up: bool = False
    lag: float = 0.0

    @property
    def path(self) -> str:
        """The store's path in the API."""
        return f"/api/v1/stores/{self.id}"

    @property
    def namespace(self) -> str:
        """The store's namespace."""
        return f"store-{self.id}"

    @property
    def title(self) -> str:
        """The shop's name, as its owner wrote it."""
        return f"Bäckerei {self.id}"

    def ask_for(self) -> None:
        """POST it."""
        body = {"id": self.id, "name": self.title, **self.asked}
        made = self.api.post("/api/v1/stores", json=body)
        assert made.status_code == 202, made.text

    def come_up(self) -> None:
        """Wait until it is Ready and its page answers, and keep what ``/`` answered meanwhile."""
        site = Site(self.where(), self.document()["url"])
        poll(lambda: self._look(site), seconds=START, what=f"{self.id} becoming Ready")
        self.up, since = True, time.monotonic()
        poll(site.answers, seconds=30, what="the page behind a store that is Ready")
        self.lag = time.monotonic() - since

    def took(self) -> float:
        """Return how many seconds it was from POST to Ready."""
        store = self.document()
        made, ready = (datetime.fromisoformat(store[at]) for at in ("createdAt", "readyAt"))
        return (ready - made).total_seconds()

    def _look(self, site: Site) -> bool:
        answer = site.get("/")
        self.seen.append((answer.status_code, answer.text))
        store = self.document()
        assert store["phase"] != "Failed", f"{store['message']}\n{self.evidence()}"
        return bool(store["phase"] == "Ready")

    def where(self) -> tuple[str, int]:
        """Return the ingress controller's address: given, or what the store's Ingress publishes."""
        return self.address or (poll(self._published, seconds=60, what="a published address"), 80)

    def _published(self) -> str | None:
        try:
            route = self.get("ingress", "wordpress")
        except AssertionError:
            return None  # it is not there yet
        published = route["status"].get("loadBalancer", {}).get("ingress") or [{}]
        address: str | None = published[0].get("ip") or published[0].get("hostname")
        return address

    def document(self) -> Json:
        """Read the store."""
        store: Json = self.api.get(self.path).json()
        return store

    def evidence(self) -> str:
        """Return everything that the service knows of the newest failure."""
        number = self.document()["revision"]
        return self.api.get(f"{self.path}/revisions/{number}/evidence").text

    def ready(self, *, generation: int | None = None) -> Json:
        """Wait until it is Ready, of that generation, and its page answers."""

        def look() -> Json | None:
            store = self.document()
            wanted = generation is None or store["observedGeneration"] >= generation
            return store if store["phase"] == "Ready" and wanted else None

        store = poll(look, seconds=START, what=f"{self.id} becoming Ready")
        poll(self.site().answers, seconds=30, what="the page behind a store that is Ready")
        return store

    def phase(self, *phases: str) -> None:
        """Wait for one of the phases."""
        wait_for_phase(self.api, self.id, *phases, seconds=START)

    def site(self) -> Site:
        """Return a new visitor."""
        return Site(self.where(), self.document()["url"])

    def credentials(self) -> Json:
        """Return the administrator's name and password."""
        found: Json = self.api.post(f"{self.path}/credentials").json()
        return found

    def admin(self) -> Site:
        """Return a visitor who is logged in as administrator."""
        site = self.site()
        assert site.log_in(self.credentials()).status_code == 200
        return site

    def said_since(self, mark: int) -> list[Json]:
        """Return the timeline's entries after ``mark``."""
        return [e for e in events(self.api, self.id) if e["seq"] > mark]

    def mark(self) -> int:
        """Return the timeline's newest number."""
        return max(int(e["seq"]) for e in events(self.api, self.id))

    def kubectl(self, *args: str, check: bool = True, stdin: str | None = None) -> str:
        """Run kubectl as administrator in the store's namespace."""
        return self.server.kubectl("-n", self.namespace, *args, check=check, stdin=stdin)

    def get(self, *args: str) -> Json:
        """Read one object or a list."""
        found: Json = json.loads(self.kubectl("get", *args, "-o", "json"))
        return found

    def pod(self, component: str) -> Json:
        """Return the one pod of a component that is not on its way out."""
        label = f"app.kubernetes.io/component={component}"
        items = self.get("pods", "-l", label)["items"]
        alive = [i for i in items if "deletionTimestamp" not in i["metadata"]]
        assert len(alive) == 1, [i["metadata"]["name"] for i in items]
        found: Json = alive[0]
        return found

    def kill(self, pod: str) -> None:
        """Take a pod away without notice."""
        self.kubectl("delete", "pod", pod, "--grace-period=0", "--force", "--wait=false")

    def down_and_up(self, component: str) -> list[str]:
        """Kill the pod, wait until all is well again; return the phases on the way."""
        mark, label = self.mark(), f"app.kubernetes.io/component={component}"
        pod = self.pod(component)["metadata"]
        self.kill(pod["name"])

        def replaced() -> bool:
            items = self.get("pods", "-l", label)["items"]
            return any(i["metadata"]["uid"] != pod["uid"] for i in items)

        poll(replaced, what="another pod")
        phases: list[str] = poll(
            lambda: (
                (p := [e["reason"] for e in self.said_since(mark) if e["type"] == "phase"])
                and p[-1] == "Ready"
                and p
            ),
            seconds=120,
            what="Degraded, then Ready",
        )
        self.ready()
        return phases

    def run(self, component: str, *command: str, check: bool = True) -> str:
        """Run a command in a pod of a component."""
        name = self.pod(component)["metadata"]["name"]
        return self.kubectl("exec", name, "--", *command, check=check)

    def has_woocommerce(self) -> bool:
        """Whether the image holds WooCommerce: whatever the engine, it is on the volume then."""
        plugin = "/usr/src/wordpress/wp-content/plugins/woocommerce/woocommerce.php"
        return "there" in self.run("wordpress", "sh", "-c", f"! test -f {plugin} || echo there")

    def php(self, code: str) -> str:
        """Run PHP with WordPress loaded, in the web server's pod."""
        load = 'require "/usr/src/wordpress/wp-load.php"; '
        return self.run("wordpress", "php", "-r", load + code)
