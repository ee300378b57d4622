"""Puts the core and its shells together and runs them until a signal."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from services.model_server.core.config import ModelConfig, read_config_file, single_model
from services.model_server.core.manager import ModelManager
from services.model_server.core.poller import Poller
from services.model_server.core.servable import Servable
from services.model_server.flags import Flags, log_ignored
from services.model_server.grpc_api.server import GrpcServer
from services.model_server.rest_api.server import RestServer

DRAIN_SECONDS = 25
"""What requests in flight get after SIGTERM; Kubernetes kills after 30 by default."""

_log = structlog.get_logger(__name__)


def serve(flags: Flags) -> None:
    """Serve until SIGTERM or SIGINT, then drain.

    Raises:
        ConfigError: the model config file is wrong.
        PortTakenError: a port is taken.
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    log_ignored(flags)
    models = read_models(flags)
    manager = ModelManager(models, load)
    servers = _open_ports(flags, manager)
    poller = Poller(manager, models, flags.file_system_poll_wait_seconds)
    poller.start()
    stopping.wait()
    start = time.perf_counter()
    _log.info("draining", at_most_seconds=DRAIN_SECONDS)
    with ThreadPoolExecutor() as stoppers:
        list(stoppers.map(lambda server: server.stop(), servers))
    poller.stop()
    manager.close()
    _log.info("stopped", seconds=round(time.perf_counter() - start, 3))


def _open_ports(flags: Flags, manager: ModelManager) -> list[GrpcServer | RestServer]:
    # All are taken before any answers, so that a taken one stops the process unnoticed.
    servers: list[GrpcServer | RestServer] = [GrpcServer(manager, flags.port, DRAIN_SECONDS)]
    if flags.rest_api_port:
        servers.append(RestServer(manager, flags.rest_api_port, DRAIN_SECONDS))
    for server in servers:
        server.start()
    _log.info("ports open", grpc=flags.port, rest=flags.rest_api_port or None)
    return servers


def read_models(flags: Flags) -> list[ModelConfig]:
    """Return what the flags say to serve.

    Raises:
        ConfigError: the model config file is wrong.
    """
    if flags.model_config_file:
        return read_config_file(flags.model_config_file)
    return single_model(flags.model_name, flags.model_base_path)


def load(path: Path) -> Servable:
    """Load a version, and TensorFlow before the first one.

    TensorFlow takes seconds to import; the ports are open by then and say NOT_SERVING.
    """
    from services.model_server.core import loader  # noqa: PLC0415

    return loader.load(path)
