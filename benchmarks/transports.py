"""Compares the gRPC transports: `python -m benchmarks.transports [FLAG OF THE MODEL SERVER …]`.

Starts a model server with the course's CNN for each transport, and measures both in each round, in
turns first and second. A ratio is that of `native` over `grpcio` in the same round: the median, and
in brackets its 95% confidence interval.
"""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rich.console import Console

from benchmarks.compare import table
from benchmarks.in_process import CNN, InProcessModel
from benchmarks.measurement import Plan, Server, measure_rounds
from benchmarks.sample_requests import grpc_request
from benchmarks.servers import GRPC, START_SECONDS
from services.model_server.grpc_api.options import GRPCIO, NATIVE, TRANSPORTS
from tests.processes import free_port, module, running, wait_until


@contextmanager
def model_server(transport: str, flags: Sequence[str], model: InProcessModel) -> Iterator[Server]:
    """Runs a model server with one transport on a free port until the block ends."""
    port = free_port()
    own = (
        f"--port={port}",
        "--model_name=cnn",
        f"--model_base_path={CNN.parent}",
        f"--grpc_transport={transport}",
    )
    with running(*module("services.model_server", *own, *flags)) as started:
        wait_until(lambda: is_serving(port), START_SECONDS, "the model is loaded")
        process = psutil.Process(started.process.pid)
        yield Server(transport, process, {GRPC: grpc_request(port, model)})


def is_serving(port: int) -> bool:
    """Returns whether the models of a server are loaded; waits for its port to open."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        request = health_pb2.HealthCheckRequest()
        answer = check(request, timeout=START_SECONDS, wait_for_ready=True)
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def main() -> None:
    """Measures both transports and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transports", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="default: %(default)s")
    parser.add_argument("--seconds", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64])
    arguments, flags = parser.parse_known_args()
    # As Ctrl-C does, so that the servers are stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    model = InProcessModel()
    with ExitStack() as stack:
        servers = [
            stack.enter_context(model_server(transport, flags, model)) for transport in TRANSPORTS
        ]
        plan = Plan([GRPC], arguments.connections, arguments.rounds, arguments.seconds)
        results = measure_rounds(servers, plan)
    console = Console(width=120)  # Whole lines also in a file.
    console.print(table(results, NATIVE, GRPCIO))
    for row, reason in results.failures.items():
        console.print(f"Failed: {row.server}, {row.connections}: {reason}")


if __name__ == "__main__":
    main()
