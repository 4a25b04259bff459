"""Real pods: one service for the run, with the rights it ships, and stores that tests share.

Store ``a`` is asked for alone, so that its time from POST to Ready means something; the others are
asked for as soon as it is there, and are waited for by the tests that need them.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from typing import Final

import pytest

from tests.e2e import needs
from tests.e2e.doors import Outside
from tests.e2e.shop import Shop
from tests.ground import Ground
from tests.system.server import Server, wait_gone

TIMES: Final = pytest.StashKey[list[str]]()


class Installation:
    """One running service and the stores that the run asked of it."""

    def __init__(self, server: Server, run: str, address: tuple[str, int] | None) -> None:
        self.server = server
        self.run = run
        self.address = address
        self.shops: dict[str, Shop] = {}
        self.api = server.client()

    def begin(self, name: str, **asked: object) -> Shop:
        """Ask for a store, once: with engine wordpress, unless other members are given."""
        if name not in self.shops:
            members = asked or {"engine": "wordpress"}
            shop = Shop(self.server, self.api, f"{self.run}-{name}", self.address, members)
            shop.ask_for()
            self.shops[name] = shop
        return self.shops[name]

    def shop(self, name: str) -> Shop:
        """Return a store that is up."""
        shop = self.begin(name)
        if not shop.up:
            shop.come_up()
        return shop

    def again_with(self, **environ: str) -> None:
        """Start the service again with other settings, once all its stores are up."""
        for name in self.shops:
            self.shop(name)
        self.server.stop()
        self.server.environ.update(environ)
        self.server.start()

    def end(self) -> None:
        """Delete the stores and wait until they are gone."""
        for shop in self.shops.values():
            self.api.delete(shop.path)
        for shop in self.shops.values():
            wait_gone(self.api, shop.id, seconds=120)

    def times(self) -> list[str]:
        """Say how long the stores took that are still there."""
        return [
            f"{shop.id}: {shop.took():.1f} s from POST to Ready, page {shop.lag:.1f} s later"
            for shop in self.shops.values()
            if shop.up and self.api.get(shop.path).status_code == 200
        ]


@pytest.fixture(scope="session")
def installation(
    ground: Ground, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Installation]:
    """The service, as its own account, on the named cluster; everything it made goes with it."""
    try:
        needs.check(os.environ)
    except needs.Missing as missing:
        pytest.fail(f"{missing}; `make test-e2e` says what to do", pytrace=False)
    assert ground.service is not None, "run by `make test-e2e`: --ground=real"
    address = needs.ingress_address(os.environ)
    run = f"e2e-{secrets.token_hex(3)}"
    domain = "localtest.me" if address is None else f"localtest.me:{address[1]}"
    server = Server(tmp_path_factory.mktemp("service"), ground, URUMI_BASE_DOMAIN=domain)
    with ground.cleaned(f"store-{run}-"):
        try:
            found = Installation(server.start(), run, address)
            with found.api:
                yield found
                pytestconfig.stash[TIMES] = found.times()
                found.end()
        finally:
            if server.process is not None:
                server.stop()


@pytest.fixture(scope="session")
def first(installation: Installation) -> Shop:
    """Store ``a``, as it came up."""
    shop = installation.shop("a")
    installation.begin("b")
    installation.begin("c")
    return shop


@pytest.fixture
def shop(first: Shop) -> Shop:
    """Store ``a``, Ready and answering."""
    first.ready()
    return first


@pytest.fixture
def neighbour(first: Shop, installation: Installation) -> Shop:
    """Store ``b``, another one than ``shop``, Ready and answering."""
    shop = installation.shop("b")
    shop.ready()
    return shop


@pytest.fixture
def doomed(first: Shop, installation: Installation) -> Shop:
    """Store ``c``, to be deleted by one test."""
    return installation.shop("c")


@pytest.fixture(scope="session")
def selling(first: Shop, installation: Installation) -> Installation:
    """The installation, if its image of WordPress holds WooCommerce: nothing is downloaded here."""
    if not first.has_woocommerce():
        pytest.skip(
            "the image of WordPress has no WooCommerce: name one that has by URUMI_IMAGE_WORDPRESS"
        )
    return installation


@pytest.fixture(scope="session")
def market(selling: Installation) -> Shop:
    """A whole shop, with demo products."""
    selling.begin(
        "market", engine="woocommerce", options={"currency": "EUR", "country": "DE:DE-BE"}
    )
    return selling.shop("market")


@pytest.fixture(scope="session")
def outside(first: Shop, installation: Installation) -> Iterator[Outside]:
    """Pods that no policy holds, elsewhere on the cluster; gone afterwards."""
    place = Outside(first, f"{installation.run}-outside", needs.ingress_namespace(os.environ))
    try:
        place.set_up()
        yield place
    finally:
        place.remove()


@pytest.fixture
def impatient(installation: Installation, first: Shop) -> Iterator[Installation]:
    """The service with little patience for a revision that does not become Ready."""
    before = installation.server.environ.get("URUMI_PROVISION_TIMEOUT", "")
    installation.again_with(URUMI_PROVISION_TIMEOUT="20")
    yield installation
    installation.again_with(URUMI_PROVISION_TIMEOUT=before)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Report how long the stores took; nothing asserts it."""
    for line in config.stash.get(TIMES, []):
        terminalreporter.write_line(line)
