"""One database server for the run; every test has an empty database and a gate to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.setup import needs
from tests.setup.database import Database
from tests.setup.gate import Gate
from tests.setup.shop import Shop, link_tree, make_image

ENGINES: Final = ("wordpress", "woocommerce")
MakeShop = Callable[..., Shop]


class Shelf:
    """Images, and volumes that `prepare` has made of them: once a run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._images: dict[tuple[Path, Path | None], Path] = {}
        self._made: dict[Path, Path] = {}

    def image(self, wordpress: Path, woocommerce: Path | None) -> Path:
        """Return the image of these two."""
        key = (wordpress, woocommerce)
        if key not in self._images:
            place = self._folder / f"image-{len(self._images)}"
            self._images[key] = make_image(place, wordpress, woocommerce)
        return self._images[key]

    def fill(self, shop: Shop) -> None:
        """Give a shop the volume that `prepare` makes, and what it leaves in the pod."""
        made = self._made.get(shop.image)
        if made is None:
            shop.prepare().ended(0)
            made = self._folder / f"made-{len(self._made)}"
            for name in ("volume", "tmp"):
                link_tree(shop.folder / name, made / name)
            self._made[shop.image] = made
        else:
            for name in ("volume", "tmp"):
                link_tree(made / name, shop.folder / name)


@pytest.fixture(scope="session")
def database() -> Iterator[Database]:
    """The server, if this machine has all that the suite needs."""
    try:
        needs.check(os.environ)
    except needs.Missing as missing:
        pytest.fail(str(missing), pytrace=False)
    server = Database()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def shelf(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """The images of the run."""
    return Shelf(tmp_path_factory.mktemp("images"))


def _named(variable: str, what: str) -> Path:
    found = needs.release(os.environ, variable)
    if found is None:
        pytest.skip(f"{variable} names no folder of a release of {what}: unpack one and set it")
    return found


@pytest.fixture(scope="session")
def named() -> Callable[[str, str], Path]:
    """Return the folder that a variable names, or skip the test and say which."""
    return _named


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest, database: Database) -> str:
    """Both engines; WooCommerce where the environment names a release."""
    name: str = request.param
    if name == "woocommerce":
        _named(needs.WOOCOMMERCE, "WooCommerce")
    return name


@pytest.fixture
def make_shop(database: Database, shelf: Shelf, tmp_path: Path) -> Iterator[MakeShop]:
    """Make shops, each with a database that is empty (so one at a time)."""
    gates: list[Gate] = []

    def make(
        engine: str = "wordpress",
        *,
        wordpress: Path | None = None,
        woocommerce: Path | None = None,
        filled: bool = True,
        **options: Any,
    ) -> Shop:
        core = wordpress or needs.wordpress(os.environ)
        if engine == "woocommerce" and woocommerce is None:
            woocommerce = _named(needs.WOOCOMMERCE, "WooCommerce")
        image = shelf.image(core, woocommerce)
        database.empty()
        gate = Gate(database.socket)
        gates.append(gate)
        shop = Shop(tmp_path / f"shop-{len(gates)}", database, gate, image, engine, **options)
        if filled:
            shelf.fill(shop)
        return shop

    yield make
    for gate in gates:
        gate.close()


@pytest.fixture
def shop(make_shop: MakeShop, engine: str) -> Shop:
    """An empty shop of each engine."""
    return make_shop(engine)
