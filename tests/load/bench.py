"""Measures the model server beside the session in it: `python -m tests.load.bench`.

It starts and stops what it measures, checks the answers, and prints one table. Every number is
the median of several short rounds, each of which measures the session anew: what counts is the
ratio, since a shared machine is never equally fast twice. The processor time of an image says the
most there: what others do to the clock hardly touches it.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import grpc
import numpy as np
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rich.console import Console
from rich.table import Table

from tests.load.calls import Call, grpc_call, rest_call
from tests.load.generators import Load, h2load, wrk
from tests.load.session import SessionCeiling
from tests.processes import ROOT, free_port, module, running, wait_until

FLAGS = (
    "--enable_batching",
    # A small network is done before its parts have been handed to other threads.
    "--tensorflow_intra_op_parallelism=1",
    "--tensorflow_inter_op_parallelism=-1",
)
BATCHES = (1, 32)
CONNECTIONS = (1, 16, 64)

Generator = Callable[[str, bytes, int, int, int], Load]


class Row(NamedTuple):
    """What one line of the table measures; `batch` is in images a request."""

    protocol: str
    batch: int
    connections: int


class Server(NamedTuple):
    """A running server: its ports and its process."""

    grpc: int
    rest: int
    process: psutil.Process


class Measured(NamedTuple):
    """One round of a row, or of the session: at batch 1 from two threads, otherwise from one.

    Attributes:
        images_per_second: answered.
        cpu_micros: the processor time of one image, in microseconds; of the server alone.
        p50_ms: the median latency of a request, in milliseconds; of the session from one thread.
        p99_ms: the 99th percentile, none of the session.
    """

    images_per_second: float
    cpu_micros: float
    p50_ms: float
    p99_ms: float = math.nan


@contextmanager
def served(*flags: str) -> Iterator[Server]:
    """Serve the course's CNN in a process of its own until the block ends."""
    grpc_port, rest_port = free_port(), free_port()
    command = module(
        "services.model_server",
        f"--port={grpc_port}",
        f"--rest_api_port={rest_port}",
        "--model_name=cnn",
        f"--model_base_path={ROOT / 'models/cnn'}",
        *flags,
    )
    with running(*command) as server:
        with grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
            health = health_pb2_grpc.HealthStub(channel)
            wait_until(lambda: _is_ready(health), 120, "the server is ready")
        yield Server(grpc_port, rest_port, psutil.Process(server.process.pid))
        server.stop()


class Bench:
    """The prepared calls to a server, and what was measured so far."""

    def __init__(self, server: Server, seconds: int) -> None:
        self.rows: dict[Row, list[Measured]] = defaultdict(list)
        self.session: dict[int, list[Measured]] = defaultdict(list)
        self._server = server
        self._seconds = seconds
        self._in_process = SessionCeiling(ROOT / "models/cnn/1")
        self._calls: dict[tuple[str, int], tuple[Generator, Call]] = {}
        for batch in BATCHES:
            images = _images(batch)
            answer = self._in_process.predict(images)
            self._calls["gRPC", batch] = h2load, grpc_call(server.grpc, images, answer)
            self._calls["REST", batch] = wrk, rest_call(server.rest, images, answer)

    def run_round(self) -> None:
        """Measure everything once."""
        for batch in BATCHES:
            self.session[batch].append(self._measure_session(batch))
            for protocol in ("gRPC", "REST"):
                for connections in CONNECTIONS:
                    row = Row(protocol, batch, connections)
                    self.rows[row].append(self._measure(row))

    def _measure_session(self, batch: int) -> Measured:
        images = _images(batch)
        threads = 2 if batch == 1 else 1
        rate, micros = self._in_process.run_for(images, self._seconds, threads)
        return Measured(rate, micros, self._in_process.p50_ms(images))

    def _measure(self, row: Row) -> Measured:
        generate, call = self._calls[row.protocol, row.batch]
        before = self._server.process.cpu_times()
        load = generate(call.url, call.body, row.connections, self._seconds, call.answer_bytes)
        after = self._server.process.cpu_times()
        processor = after.user - before.user + after.system - before.system
        images = load.requests * row.batch
        rate = load.requests_per_second * row.batch
        return Measured(rate, processor / images * 1e6, load.p50_ms, load.p99_ms)


def table(bench: Bench) -> Table:
    """Lay the medians out."""
    result = Table(title="The CNN in one process; medians", show_edge=False)
    for column in (
        "call",
        "batch",
        "conns",
        "images/s",
        "ratio",
        "CPU µs",
        "ratio",
        "p50 ms",
        "p99 ms",
    ):
        result.add_column(column, justify="right", no_wrap=True)
    for batch, rounds in bench.session.items():
        rate, micros, p50 = _median(rounds, 0), _median(rounds, 1), _median(rounds, 2)
        threads = "2 threads" if batch == 1 else "1 thread"
        session = f"{rate:,.0f}", "1", f"{micros:,.0f}", "1", f"{p50:.2f}", ""
        result.add_row("session", str(batch), threads, *session)
        for row, seen in bench.rows.items():
            if row.batch == batch:
                result.add_row(
                    row.protocol, str(batch), str(row.connections), *_cells(seen, rounds)
                )
        result.add_section()
    return result


def _cells(seen: list[Measured], session: list[Measured]) -> list[str]:
    pairs = list(zip(seen, session, strict=True))
    rate = np.median([mine.images_per_second / base.images_per_second for mine, base in pairs])
    micros = np.median([mine.cpu_micros / base.cpu_micros for mine, base in pairs])
    return [
        f"{_median(seen, 0):,.0f}",
        f"{rate:.2f}",
        f"{_median(seen, 1):,.0f}",
        f"{micros:.2f}",
        f"{_median(seen, 2):.2f}",
        f"{_median(seen, 3):.2f}",
    ]


def _median(rounds: list[Measured], position: int) -> float:
    return float(np.median([measured[position] for measured in rounds]))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="default %(default)s")
    parser.add_argument("--seconds", type=int, default=2, help="a measurement; default %(default)s")
    parser.add_argument(
        "flags", nargs="*", default=FLAGS, help="of the server; default %(default)s"
    )
    arguments = parser.parse_args()
    with served(*arguments.flags) as server:
        bench = Bench(server, arguments.seconds)
        for _ in range(arguments.rounds):
            bench.run_round()
    console = Console()
    console.print(table(bench))
    console.print("The server's flags:", *arguments.flags)
    console.print("The session's configuration: TensorFlow's default")
    for batch, rounds in bench.session.items():
        rates = ", ".join(f"{measured.images_per_second:,.0f}" for measured in rounds)
        console.print(f"The session at batch {batch}, round by round: {rates} images/s")


def _images(count: int) -> np.ndarray:
    generator = np.random.default_rng(count)
    return generator.integers(0, 256, (count, 28, 28, 1)).astype(np.float32)


def _is_ready(health: health_pb2_grpc.HealthStub) -> bool:
    try:
        answer = health.Check(health_pb2.HealthCheckRequest(), timeout=1)
    except grpc.RpcError:
        return False
    return answer.status == health_pb2.HealthCheckResponse.SERVING


if __name__ == "__main__":
    main()
