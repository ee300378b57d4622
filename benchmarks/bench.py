"""Measures the model server beside the session in it: `python -m benchmarks.bench`.

It starts and stops what it measures, checks the answers, and prints one table and the targets. A
row that fails is named with its reason, and the others go on. Every number is the median of several
short rounds, each of which measures the session anew: what counts is the ratio, since a shared
machine is never equally fast twice. The processor time of an image says the most there: what others
do to the clock hardly touches it.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import grpc
import numpy as np
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rich.console import Console

from benchmarks.calls import Call, grpc_call, rest_call
from benchmarks.generators import Load, LoadError, h2load, wrk
from benchmarks.profile import busiest, profiled
from benchmarks.report import SESSION_THREADS, Measured, Row, table, targets
from benchmarks.session import SessionCeiling
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


class Server(NamedTuple):
    """A running server: its ports and its process."""

    grpc: int
    rest: int
    process: psutil.Process


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
    """The prepared calls to a server, and what was measured so far.

    Attributes:
        sessions: every round of the session, by batch size.
        rows: every round of a row, with the session of the same round.
        failures: why a row could not be measured, the last time that happened.
    """

    def __init__(self, server: Server, seconds: int) -> None:
        self.sessions: dict[int, list[Measured]] = defaultdict(list)
        self.rows: dict[Row, list[tuple[Measured, Measured]]] = defaultdict(list)
        self.failures: dict[Row, str] = {}
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
        """Measure everything once; a row that fails holds up no other."""
        for batch in BATCHES:
            session = self._measure_session(batch)
            self.sessions[batch].append(session)
            for row in rows_of(batch):
                with self._noting_failure(row):
                    measured = self._measure(row)
                    self.rows[row].append((measured, session))

    def profile(self, folder: Path) -> dict[Row, list[tuple[str, float]]]:
        """Put every row under load again, and return the busiest functions of each."""
        seen = {}
        for row in (row for batch in BATCHES for row in rows_of(batch)):
            file = folder / f"{row.protocol}-{row.batch}-images-{row.connections}-connections.txt"
            with self._noting_failure(row):
                with profiled(self._server.process.pid, self._seconds, file):
                    self._load(row)
                seen[row] = busiest(file)
        return seen

    @contextmanager
    def _noting_failure(self, row: Row) -> Iterator[None]:
        try:
            yield
        except (LoadError, psutil.Error) as error:
            self.failures[row] = str(error)

    def _measure_session(self, batch: int) -> Measured:
        images = _images(batch)
        rate, micros = self._in_process.run_for(images, self._seconds, SESSION_THREADS[batch])
        return Measured(rate, micros, self._in_process.p50_ms(images))

    def _measure(self, row: Row) -> Measured:
        before = self._server.process.cpu_times()
        load = self._load(row)
        after = self._server.process.cpu_times()
        processor = after.user - before.user + after.system - before.system
        images = load.requests * row.batch
        rate = load.requests_per_second * row.batch
        return Measured(rate, processor / images * 1e6, load.p50_ms, load.p99_ms)

    def _load(self, row: Row) -> Load:
        generate, call = self._calls[row.protocol, row.batch]
        return generate(call.url, call.body, row.connections, self._seconds, call.answer_bytes)


def rows_of(batch: int) -> list[Row]:
    """Return what is measured with so many images a request."""
    return [
        Row(protocol, batch, connections)
        for protocol in ("gRPC", "REST")
        for connections in CONNECTIONS
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="default %(default)s")
    parser.add_argument("--seconds", type=int, default=2, help="a measurement; default %(default)s")
    parser.add_argument("--profile", type=Path, help="a folder for py-spy's stacks of the server")
    parser.add_argument(
        "flags", nargs="*", default=FLAGS, help="of the server; default %(default)s"
    )
    arguments = parser.parse_args()
    profiles = {}
    with served(*arguments.flags) as server:
        bench = Bench(server, arguments.seconds)
        for _ in range(arguments.rounds):
            bench.run_round()
        if arguments.profile:
            profiles = bench.profile(arguments.profile)
    # Whole lines, also where it writes to a file.
    console = Console(width=120)
    console.print(table(bench.sessions, bench.rows, bench.failures))
    console.print(targets(bench.rows))
    for row, reason in bench.failures.items():
        console.print(f"Failed: {row}: {reason}", soft_wrap=True)
    for row, functions in profiles.items():
        console.print(f"Busiest: {row}")
        for name, share in functions:
            console.print(f"  {share:4.0%} {name}", highlight=False)
    console.print("The server's flags:", *arguments.flags)
    console.print("The session's configuration: TensorFlow's default")
    for batch, rounds in bench.sessions.items():
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
