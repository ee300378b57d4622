"""Starts the servers that are measured: Lectern as `make run` starts it, and its peers."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil
import requests

from benchmarks.in_process import InProcessModel
from benchmarks.load import LoadError, Request
from benchmarks.measurement import Form, Server
from benchmarks.peers import PEERS, Peer
from benchmarks.sample_requests import PREDICT, grpc_request, json_request, png_request
from tests.processes import ROOT, free_port, module, running, wait_until

START_SECONDS = 600
PEER_START_SECONDS = 120
BATCH = 32

PNG, JSON, GRPC = Form("PNG"), Form("JSON"), Form("gRPC")


@dataclass(frozen=True)
class Suite:
    """A running `make run`.

    Attributes:
        process: the launcher, whose children are the model server and the gateway.
        gateway: port of the gateway.
        grpc: gRPC port of the model server.
        rest: REST port of the model server.
        first_prediction: seconds from the start to the first prediction.
        all_models: seconds from the start until every model can answer.
    """

    process: psutil.Process
    gateway: int
    grpc: int
    rest: int
    first_prediction: float
    all_models: float

    def gateway_server(self, model: InProcessModel, name: str = "Lectern") -> Server:
        """Returns the gateway as a server."""
        url = f"http://127.0.0.1:{self.gateway}{PREDICT}"
        calls = {PNG: png_request(url, model), JSON: json_request(url, model)}
        return Server(name, self.process, calls)

    def model_server(self, model: InProcessModel, name: str = "Lectern's model server") -> Server:
        """Returns the model server as a server, with batches of images as well."""
        url = f"http://127.0.0.1:{self.rest}{PREDICT}"
        calls: dict[Form, Request] = {}
        for batch in (1, BATCH):
            calls[Form("gRPC", batch)] = grpc_request(self.grpc, model, batch)
            calls[Form("JSON", batch)] = json_request(url, model, batch)
        return Server(name, self.process, calls)


@contextmanager
def suite(tree: Path = ROOT, environment: Mapping[str, str] | None = None) -> Iterator[Suite]:
    """Runs what `make run` runs, on free ports, until all models are warm and the block ends.

    Args:
        tree: the source tree that it runs.
        environment: further settings.
    """
    ports = {name: free_port() for name in ("GATEWAY_PORT", "GRPC_PORT", "REST_PORT")}
    settings = {name: str(port) for name, port in ports.items()} | dict(environment or {})
    start = time.monotonic()
    with running(*module("services"), environment=settings, folder=tree) as launcher:
        launcher.wait_for_line("Lectern is ready", START_SECONDS)
        first_prediction = time.monotonic() - start
        url = f"http://127.0.0.1:{ports['GATEWAY_PORT']}/readyz"
        wait_until(lambda: _answers(url), START_SECONDS, "all models are loaded")
        all_models = time.monotonic() - start
        process = psutil.Process(launcher.process.pid)
        # Models are warmed up behind their first answer.
        wait_until(
            lambda: _is_idle(Server("Lectern", process, {})),
            START_SECONDS,
            "all models are warmed up",
        )
        gateway, grpc_port, rest = ports.values()
        yield Suite(process, gateway, grpc_port, rest, first_prediction, all_models)


@contextmanager
def peer_server(
    peer: Peer, interpreter: str, model: InProcessModel, upstream: int
) -> Iterator[Server]:
    """Runs a peer on a free port until the block ends.

    Args:
        peer: the peer.
        interpreter: the Python of an environment in which its package is installed.
        model: the model whose answers are expected.
        upstream: gRPC port of a model server, for peers that are gateways.
    """
    port = free_port()
    command = [interpreter, "-m", f"benchmarks.peers.{peer.module}", str(port)]
    environment = {
        "LECTERN_MODEL_SERVER": f"127.0.0.1:{upstream}",
        "LECTERN_MODELS": "cnn",
        "LECTERN_LOG_LEVEL": "warning",
    }
    with running(*command, environment=environment) as started:
        calls: dict[Form, Request] = {}

        def is_ready() -> bool:
            if started.process.poll() is not None:
                raise LoadError(f"{peer.name} ended: {started.output[-2000:]}")
            try:
                calls.update(_requests(peer, port, model))
            except (LoadError, grpc.RpcError, requests.RequestException):
                return False
            return True

        wait_until(is_ready, PEER_START_SECONDS, f"{peer.name} predicts")
        yield Server(peer.name, psutil.Process(started.process.pid), calls)


def installed_peers(interpreters: Sequence[str] = (sys.executable,)) -> list[tuple[Peer, str]]:
    """Returns the installed peers, each with the first interpreter that has its package."""
    found = ((peer, _first_with(peer.package, interpreters)) for peer in PEERS)
    return [(peer, interpreter) for peer, interpreter in found if interpreter]


def _first_with(package: str, interpreters: Sequence[str]) -> str | None:
    program = "import importlib.util, sys; sys.exit(not importlib.util.find_spec(sys.argv[1]))"
    for interpreter in interpreters:
        command = [interpreter, "-c", program, package]
        if subprocess.run(command, check=False).returncode == 0:
            return interpreter
    return None


def _requests(peer: Peer, port: int, model: InProcessModel) -> dict[Form, Request]:
    if peer.is_grpc:
        return {GRPC: grpc_request(port, model)}
    url = f"http://127.0.0.1:{port}"
    return {
        PNG: png_request(f"{url}{peer.png_path}", model),
        JSON: json_request(f"{url}{peer.json_path}", model),
    }


def _is_idle(server: Server, seconds: float = 1.0) -> bool:
    """Returns whether a server uses less than a tenth of a processor."""
    before = server.cpu_seconds()
    time.sleep(seconds)
    return server.cpu_seconds() - before < seconds / 10


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False
