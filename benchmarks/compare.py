"""Compares this source tree with another one: `python -m benchmarks.compare OTHER_TREE`.

Starts what `make run` starts from both trees side by side. Each round measures both, in turns first
and second, so that a change of the machine's speed meets both. A ratio is that of this tree over
the other in the same round: its median, and in brackets its quartiles.
"""

from __future__ import annotations

import argparse
import signal
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.in_process import InProcessModel
from benchmarks.measurement import Plan, Results, Server, measure_rounds
from benchmarks.servers import GRPC, JSON, PNG, suite
from tests.processes import ROOT

THIS, OTHER = "this tree", "the other"
FORMS = {"png": PNG, "json": JSON, "grpc": GRPC}


def table(results: Results) -> Table:
    """Returns the table of both trees and their ratios."""
    result = Table(title="This tree and the other; medians [quartiles]", show_edge=False)
    heads = ("form", "conns", "images/s", "other", "ratio", "CPU ms", "other", "ratio")
    for head in heads:
        result.add_column(head, justify="right", no_wrap=True)
    for row in results.rows:
        other = row._replace(server=OTHER)
        if row.server != THIS:
            continue
        if failed := results.failures.get(row) or results.failures.get(other):
            result.add_row(str(row.form), str(row.connections), f"failed: {failed}")
            continue
        mine, theirs = results.median(row), results.median(other)
        result.add_row(
            str(row.form),
            str(row.connections),
            f"{mine.images_per_second:,.0f}",
            f"{theirs.images_per_second:,.0f}",
            str(results.ratio(row, other)),
            f"{mine.cpu_ms:.2f}",
            f"{theirs.cpu_ms:.2f}",
            str(results.ratio(row, other, "cpu_ms")),
        )
    return result


def main() -> None:
    """Measures both trees and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("tree", type=Path, help="folder of the other source tree")
    parser.add_argument("--rounds", type=int, default=20, help="default: %(default)s")
    parser.add_argument(
        "--seconds", type=int, default=1, help="of each measurement; default: %(default)s"
    )
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=list(FORMS))
    arguments = parser.parse_args()
    if not (arguments.tree / "services/__main__.py").is_file():
        parser.error(f"received {arguments.tree}, expected the root of a source tree of Lectern")
    forms = [FORMS[name] for name in arguments.forms]
    plan = Plan(forms, arguments.connections, arguments.rounds, arguments.seconds)
    # As Ctrl-C does, so that the servers are stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    model = InProcessModel()
    with ExitStack() as stack:
        servers = []
        for name, tree in ((THIS, ROOT), (OTHER, arguments.tree.resolve())):
            started = stack.enter_context(suite(tree))
            requests = {
                **started.model_server(model).requests,
                **started.gateway_server(model).requests,
            }
            servers.append(Server(name, started.process, requests))
        results = measure_rounds(servers, plan)
    Console(width=120).print(table(results))  # Whole lines also in a file.


if __name__ == "__main__":
    main()
