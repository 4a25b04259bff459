"""What a run found: tables for the terminal and for ``docs/benchmarks.md``.

The page's prose is written by hand; only what stands between the two markers is replaced.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from orchestrator import __version__
from tests.bench.numbers import Spread, ratios
from tests.bench.rounds import Plan, Times

PAGE: Final = Path(__file__).parents[2] / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- results: made by `make bench` -->", "<!-- end of results -->"
_RESULTS: Final = re.compile(f"(?<={re.escape(_BEGIN)}\n).*?(?={re.escape(_END)})", re.S)


@dataclass(frozen=True)
class Line:
    """One row of the table. ``goal`` says in words what ``met`` judges by the median."""

    what: str
    ratio: Spread
    goal: str = ""
    met: bool | None = None

    def cells(self) -> Iterator[str]:
        """Return the row's texts."""
        yield self.what
        yield self.ratio.text()
        yield self.goal
        yield {True: "met", False: "not met", None: ""}[self.met]


def lines(times: Mapping[str, Times]) -> list[Line]:
    """Return the ratios that the goals are about."""
    us, bare, helm = times["the service"], times["bare client"], times["Helm"]
    burst, alone = ratios(bare.burst, us.burst), ratios(us.alone, bare.alone)
    helm_alone, helm_burst = ratios(helm.alone, us.alone), ratios(helm.burst, us.burst)
    return [
        Line("a burst: throughput, bare client = 1", burst, "≥ 0.90", burst.median >= 0.9),
        Line("one alone: time, bare client = 1", alone, "≤ 1.15", alone.median <= 1.15),
        Line("one alone: times faster than Helm", helm_alone, "≥ 8", helm_alone.median >= 8),
        Line("a burst: times faster than Helm", helm_burst, "≥ 6", helm_burst.median >= 6),
        Line("unchanged: times faster than the bare client", ratios(bare.again, us.again)),
        Line("unchanged: times faster than Helm", ratios(helm.again, us.again)),
    ]


def table(times: Mapping[str, Times]) -> str:
    """Return the ratios as a table."""
    rows = ["| what | median (least … most) | goal | |", "| --- | --- | --- | --- |"]
    rows += [f"| {' | '.join(line.cells())} |" for line in lines(times)]
    writes = max(times["the service"].writes)
    verdict = "met" if writes == 0 else "not met"
    rows.append(f"| unchanged: writes by the service | {writes} | 0 | {verdict} |")
    return "\n".join(rows)


def absolute(times: Mapping[str, Times], plan: Plan) -> str:
    """Return what is behind the ratios: of this machine, at that hour."""
    rows = [
        f"| | one alone, ms | burst of {plan.burst}, stores/s | all unchanged, s "
        "| writes per store | writes, unchanged |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, of in times.items():
        alone = Spread.of([s * 1000 for s in of.alone]).text(0)
        burst = Spread.of([plan.burst / s for s in of.burst]).text(1)
        again, writes = Spread.of(of.again).text(2), Spread.of(of.per_store).median
        cells = [name, alone, burst, again, f"{writes:.0f}", str(max(of.writes))]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def machine() -> str:
    """Return cores, memory and processor; nothing that would name the machine."""
    found = re.search(r"^model name\s*: (.*)$", _read(Path("/proc/cpuinfo")), re.M)
    model = found[1].strip() if found else platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB of memory"


def write(times: Mapping[str, Times], plan: Plan, versions: Mapping[str, str]) -> None:
    """Put the results into the page. Errors: RuntimeError when its markers are gone."""
    parts = {"Urumi Stores": __version__, "Python": platform.python_version(), **versions}
    about = ", ".join(f"{name} {version}" for name, version in parts.items())
    text = (
        f"{date.today():%B %Y}, {machine()}: {about}. {plan.rounds_alone} rounds of {plan.single} "
        f"stores alone, {plan.rounds_burst} rounds of {plan.burst} stores in a burst.\n\n"
        f"{table(times)}\n\n{absolute(times, plan)}\n"
    )
    page, count = _RESULTS.subn(lambda _: text, _read(PAGE))
    if not count:
        raise RuntimeError(f"{PAGE}: the markers of the results are not there")
    PAGE.write_text(page)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
