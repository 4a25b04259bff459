"""``python -m tests.bench``: the service beside a bare client and Helm, as ratios.

On a control plane of its own, or, with ``URUMI_TEST_CLUSTER=1``, on the cluster of ``KUBECONFIG``.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

from tests.bench import report
from tests.bench.bare import Bare
from tests.bench.helm import Helm
from tests.bench.rounds import Plan, Rounds
from tests.bench.service import Service
from tests.ground import standing


def main() -> None:
    """Run the rounds, print the table and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds; writes no page")
    quick = parser.parse_args().quick
    try:
        _run(Plan(2, 2, 1, 15) if quick else Plan(), write=not quick)
    except (RuntimeError, subprocess.CalledProcessError) as exc:
        raise SystemExit(f"tests.bench: {exc}") from exc


def _run(plan: Plan, *, write: bool) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="urumi-bench-") as name,
        standing("real", Path(name), nodes=False) as ground,
    ):
        folder = Path(name)
        assert ground.kubeconfig is not None
        assert ground.service is not None
        assert ground.api is not None
        helm = Helm(ground.kubeconfig, folder / "helm")
        bare = Bare(ground.service, folder / "bare")
        service = Service(ground, folder / "service")
        print(f"on {ground.name}, {report.machine()}", flush=True)
        rounds = Rounds(ground, [service, bare, helm], plan)
        rounds.run()
        print(f"\n{report.table(rounds.times)}\n\n{report.absolute(rounds.times, plan)}")
        versions = {
            "Kubernetes": ground.api.get("/version").json()["gitVersion"],
            "Helm": helm.version(),
        }
    if write:
        report.write(rounds.times, plan, versions)
        print(f"\nwritten to {report.PAGE}")


if __name__ == "__main__":
    main()
