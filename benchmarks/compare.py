"""Compares this source tree with another one: `python -m benchmarks.compare OTHER_TREE`.

Starts what `make run` starts from both trees side by side. Each round measures both, in turns first
and second, so that a change of the machine's speed meets both. A ratio is that of this tree over
the other in the same round: the median, and in brackets its 95% confidence interval. The rounds end
when every interval is narrow enough.
"""

from __future__ import annotations

import argparse
import signal
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.in_process import InProcessModel
from benchmarks.measurement import Plan, Results, Row, Server, measure_rounds
from benchmarks.servers import GRPC, JSON, PNG, suite
from tests.processes import ROOT

THIS, OTHER = "this tree", "the other"
LEAST_ROUNDS = 6
"""Fewer rounds have no 95% confidence interval."""
FORMS = {"png": PNG, "json": JSON, "grpc": GRPC}


def rows_of(results: Results, this: str = THIS, other: str = OTHER) -> list[tuple[Row, Row]]:
    """Returns the rows of two servers, by default of both trees, in pairs."""
    rows = dict.fromkeys(row._replace(server=this) for row in [*results.rows, *results.failures])
    return [(row, row._replace(server=other)) for row in rows]


def is_precise(results: Results, error: float) -> bool:
    """Returns True if no row failed and all ratios have at most a relative error."""
    return not results.failures and all(
        len(results.rows[row]) >= LEAST_ROUNDS and results.ratio(row, other, name).error <= error
        for row, other in rows_of(results)
        for name in ("images_per_second", "cpu_ms")
    )


def table(results: Results, this: str = THIS, other: str = OTHER) -> Table:
    """Returns the table of two servers, by default of both trees, and their ratios."""
    result = Table(title=f"{this.capitalize()} and {other}; medians", show_edge=False)
    heads = ("form", "conns", "images/s", "other", "ratio", "CPU ms", "other", "ratio")
    for head in heads:
        result.add_column(head, justify="right", no_wrap=True)
    for row, other_row in rows_of(results, this, other):
        name = str(row.form), str(row.connections)
        if {row, other_row} & results.failures.keys():
            result.add_row(*name, "failed")
            continue
        mine, theirs = results.median(row), results.median(other_row)
        result.add_row(
            *name,
            f"{mine.images_per_second:,.0f}",
            f"{theirs.images_per_second:,.0f}",
            str(results.ratio(row, other_row)),
            f"{mine.cpu_ms:.2f}",
            f"{theirs.cpu_ms:.2f}",
            str(results.ratio(row, other_row, "cpu_ms")),
        )
    return result


def measure_trees(trees: dict[str, Path], plan: Plan, error: float) -> Results:
    """Runs both trees side by side and measures them until the ratios are precise.

    Args:
        trees: the source trees by name.
        plan: the rows, and the largest number of rounds.
        error: the relative error of the ratios.
    """
    model = InProcessModel()
    with ExitStack() as stack:
        servers = []
        for name, tree in trees.items():
            started = stack.enter_context(suite(tree))
            gateway, model_server = started.gateway_server(model), started.model_server(model)
            requests = {**gateway.requests, GRPC: model_server.requests[GRPC]}
            servers.append(Server(name, started.process, requests))
        return measure_rounds(servers, plan, is_enough=lambda results: is_precise(results, error))


def parse_arguments() -> argparse.Namespace:
    """Returns the arguments of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("tree", type=Path, help="folder of the other source tree")
    parser.add_argument(
        "--error",
        type=float,
        default=0.05,
        help="relative error of the ratios at which the rounds end; default: %(default)s",
    )
    parser.add_argument("--rounds", type=int, default=100, help="at most; default: %(default)s")
    parser.add_argument(
        "--seconds", type=int, default=1, help="of each measurement; default: %(default)s"
    )
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=list(FORMS))
    arguments = parser.parse_args()
    if not (arguments.tree / "services/__main__.py").is_file():
        parser.error(f"received {arguments.tree}, expected the root of a source tree of Lectern")
    return arguments


def main() -> None:
    """Measures both trees and prints the table."""
    arguments = parse_arguments()
    # As Ctrl-C does, so that the servers are stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    forms = [FORMS[name] for name in arguments.forms]
    plan = Plan(forms, arguments.connections, arguments.rounds, arguments.seconds)
    trees = {THIS: ROOT, OTHER: arguments.tree.resolve()}
    results = measure_trees(trees, plan, arguments.error)
    console = Console(width=120)  # Whole lines also in a file.
    console.print(table(results))
    for row, reason in results.failures.items():
        console.print(f"Failed: {row.server}, {row.form}, {row.connections}: {reason}")
    rounds = max(map(len, results.rows.values()))
    precise = "reached" if is_precise(results, arguments.error) else "NOT reached"
    console.print(f"{rounds} rounds; an error of at most {arguments.error:.0%} is {precise}")


if __name__ == "__main__":
    main()
