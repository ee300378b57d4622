"""Measures Lectern beside its peers and an in-process model: `python -m benchmarks`.

Starts what `make run` starts, with the same flags, and every peer whose package is installed. All
servers answer at the same time; the rounds alternate between them. Every number is a median over
the rounds, every ratio one of values from the same round, with its 95% confidence interval.
"""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import ExitStack

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.in_process import InProcessModel
from benchmarks.measurement import Form, Measurement, Plan, Results, Row, Server, measure_rounds
from benchmarks.sample_requests import samples
from benchmarks.servers import BATCH, installed_peers, peer_server, suite

FORMS = [Form("PNG"), Form("JSON"), Form("gRPC"), Form("JSON", BATCH), Form("gRPC", BATCH)]
CONNECTIONS = (1, 16, 64)
IN_PROCESS = "in process"
THREADS = {1: 2, BATCH: 1}
"""Threads of the in-process model by batch size; TensorFlow itself spreads a large batch."""
LECTERN = {"PNG": "Lectern", "JSON": "Lectern", "gRPC": "Lectern's model server"}
"""The server that a peer is compared with."""


def measure_in_process(model: InProcessModel, seconds: int, results: Results) -> None:
    """Adds a round of the in-process model for each batch size to the results."""
    for batch, threads in THREADS.items():
        rate, cpu_ms = model.measure(samples(batch), seconds, threads)
        measured = Measurement(rate, cpu_ms * batch, np.nan, np.nan)
        results.rows[in_process_row(batch)].append(measured)


def in_process_row(batch: int) -> Row:
    """Returns the row of the in-process model; its form has no protocol."""
    return Row(IN_PROCESS, Form("", batch), THREADS[batch])


def table(results: Results, servers: list[Server]) -> Table:
    """Returns the table, grouped by form and connections."""
    result = Table(title="Medians; C: in process", show_edge=False)
    for head in ("form", "conns", "server", "images/s", "of C", "CPU ms", "p50 ms", "p99 ms"):
        result.add_column(head, justify="left" if head == "server" else "right", no_wrap=True)
    result.add_column("Lectern ÷ it", justify="right", no_wrap=True)
    for batch, threads in THREADS.items():
        own = results.median(in_process_row(batch))
        cells = f"{own.images_per_second:,.0f}", "1.00", f"{own.cpu_ms:.2f}"
        result.add_row(f"×{batch}", "", f"C, threads: {threads}", *cells)
    for form in FORMS:
        result.add_section()
        for connections in CONNECTIONS:
            for server in servers:
                row = Row(server.name, form, connections)
                if row in results.failures:
                    result.add_row(str(form), str(connections), server.name, "failed")
                elif row in results.rows:
                    result.add_row(str(form), str(connections), server.name, *_cells(row, results))
    return result


def _cells(row: Row, results: Results) -> list[str]:
    own = results.median(row)
    lectern = row._replace(server=LECTERN[row.form.protocol])
    compared = row.server not in LECTERN.values() and len(results.rows[lectern]) == len(
        results.rows[row]
    )
    return [
        f"{own.images_per_second:,.0f}",
        f"{results.ratio(row, in_process_row(row.form.batch)).median:.2f}",
        f"{own.cpu_ms:.2f}",
        f"{own.p50_ms:.2f}",
        f"{own.p99_ms:.2f}",
        str(results.ratio(lectern, row)) if compared else "",
    ]


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument(
        "--seconds", type=int, default=2, help="of each measurement; default: %(default)s"
    )
    parser.add_argument(
        "--peers-python",
        nargs="+",
        default=[sys.executable],
        help="the Pythons in whose environments peers are installed; default: this one",
    )
    arguments = parser.parse_args()
    plan = Plan(FORMS, CONNECTIONS, arguments.rounds, arguments.seconds)
    # As Ctrl-C does, so that the servers are stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    model = InProcessModel()
    console = Console(width=120)  # Whole lines also in a file.
    with ExitStack() as stack:
        lectern = stack.enter_context(suite())
        servers = [lectern.gateway_server(model), lectern.model_server(model)]
        for peer, interpreter in installed_peers(arguments.peers_python):
            started = peer_server(peer, interpreter, model, lectern.grpc)
            servers.append(stack.enter_context(started))
        results = measure_rounds(
            servers, plan, lambda results: measure_in_process(model, plan.seconds, results)
        )
        console.print(table(results, servers))
        for server in servers:
            if server.name != LECTERN["gRPC"]:
                console.print(f"{server.name}: {server.memory_mib():,.0f} MiB in all processes")
    for row, reason in results.failures.items():
        console.print(f"Failed: {row.server}, {row.form}, {row.connections}: {reason}")
    console.print(
        f"make run: first prediction after {lectern.first_prediction:.1f} s, "
        f"all models after {lectern.all_models:.1f} s"
    )


if __name__ == "__main__":
    main()
