from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.ground import Ground, check_named, standing

# A machine under load is slow, which says nothing about what is tested.
settings.register_profile("urumi", deadline=None)
settings.load_profile("urumi")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--ground",
        choices=("sandbox", "real"),
        default="sandbox",
        help="what the cluster suites run on: the embedded sandbox, or a real API server",
    )


def pytest_configure(config: pytest.Config) -> None:
    """End on SIGTERM as on Ctrl-C: whatever the run has made is taken down. Look at the cluster."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    check_named(config.getoption("--ground"))


TOLD = "» "


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show seeds and counts also of tests that passed: lines of theirs that begin with a mark."""
    reports = [r for s in ("passed", "failed", "error") for r in terminalreporter.stats.get(s, ())]
    lines = [x for r in reports for x in r.capstdout.splitlines() if x.startswith(TOLD)]
    if lines:
        terminalreporter.section("seeds and counts")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def ground(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """The cluster that the suites run on."""
    with standing(pytestconfig.getoption("--ground"), tmp_path_factory.mktemp("ground")) as found:
        yield found
