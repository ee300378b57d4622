"""Compares the threads that a run may take: `python -m benchmarks.run_threads`.

Starts three model servers: one whose operations take one thread, one whose operations take all
cores, and one that chooses for each model and batch size, which is the default. All of them serve
the same models by gRPC. The rounds alternate between the servers; numbers are medians over the
rounds, with the smallest and the largest in brackets. It takes about four minutes on two cores.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.in_process import InProcessModel
from benchmarks.measurement import Form, Plan, Results, Row, Server, measure_rounds
from benchmarks.sample_requests import grpc_request
from benchmarks.servers import BATCH, START_SECONDS
from benchmarks.transports import is_serving
from tests.processes import ROOT, free_port, module, running, wait_until

MODELS = ("mlp", "cnn", "cnn_best", "lstm", "efficientnet_lite0")
ONE, ALL, CHOSEN = "one thread", "all cores", "chosen"
_FLAG = "--tensorflow_intra_op_parallelism"
FLAGS = {ONE: [f"{_FLAG}=1"], ALL: [f"{_FLAG}={len(os.sched_getaffinity(0))}"], CHOSEN: []}


def model_config(models: Sequence[str]) -> str:
    """Returns the text of a model server's configuration file."""
    lines = [
        f'  config {{ name: "{name}" base_path: "{ROOT / "models" / name}" '
        'model_platform: "tensorflow" }'
        for name in models
    ]
    return "\n".join(["model_config_list {", *lines, "}"])


@contextmanager
def model_server(
    name: str, config: Path, models: Sequence[InProcessModel]
) -> Iterator[tuple[Server, Server]]:
    """Runs a model server until the block ends, as one for lone images and one for batches too."""
    port = free_port()
    flags = (f"--port={port}", f"--model_config_file={config}", *FLAGS[name])
    with running(*module("services.model_server", *flags)) as started:
        wait_until(lambda: is_serving(port), START_SECONDS, "the models are loaded")
        process = psutil.Process(started.process.pid)
        lone = {Form(model.name): grpc_request(port, model) for model in models}
        batches = {Form(model.name, BATCH): grpc_request(port, model, BATCH) for model in models}
        yield Server(name, process, lone), Server(name, process, batches)


def table(results: Results) -> Table:
    """Returns the table, grouped by model, batch size and connections."""
    result = Table(title=r"Threads of a run; medians \[smallest, largest]", show_edge=False)
    for column in ("model", "conns", "threads", "images/s", "p50 ms", "CPU ms"):
        result.add_column(column, justify="left" if column == "threads" else "right", no_wrap=True)
    for row in sorted(results.rows.keys() | results.failures.keys(), key=_order):
        head = str(row.form), str(row.connections), row.server
        if row in results.failures:
            result.add_row(*head, "failed")
        else:
            measured = results.rows[row]
            result.add_row(
                *head,
                _with_spread([each.images_per_second for each in measured], 0),
                _with_spread([each.p50_ms for each in measured], 2),
                _with_spread([each.cpu_ms for each in measured], 2),
            )
        if row.server == CHOSEN:
            result.add_section()
    return result


def _order(row: Row) -> tuple[str, int, int, int]:
    return row.form.protocol, row.form.batch, row.connections, list(FLAGS).index(row.server)


def _with_spread(values: Sequence[float], digits: int) -> str:
    ordered = sorted(values)
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    return f"{middle:,.{digits}f} [{ordered[0]:,.{digits}f}, {ordered[-1]:,.{digits}f}]"


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run_threads", description=__doc__)
    parser.add_argument("--models", nargs="+", default=MODELS, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--seconds", type=int, default=1, help="default: %(default)s")
    arguments = parser.parse_args()
    # As Ctrl-C does, so that the servers are stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    models = [InProcessModel(ROOT / "models" / name / "1") for name in arguments.models]
    results = Results()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        config = folder / "models.config"
        config.write_text(model_config(arguments.models))
        servers = [stack.enter_context(model_server(name, config, models)) for name in FLAGS]
        # Sixteen connections make batches of lone images themselves.
        for group, connections in zip(zip(*servers, strict=True), ([1, 16], [1]), strict=True):
            forms = list(group[0].requests)
            plan = Plan(forms, connections, arguments.rounds, arguments.seconds)
            measured = measure_rounds(group, plan)
            results.rows.update(measured.rows)
            results.failures.update(measured.failures)
    console = Console(width=120)  # Whole lines also in a file.
    console.print(table(results))
    for row, reason in results.failures.items():
        console.print(f"Failed: {row.server}, {row.form}, {row.connections}: {reason}")


if __name__ == "__main__":
    main()
