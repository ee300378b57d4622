"""Puts the core and its shells together and runs them until a signal."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import structlog

from services.model_server.core.config import ModelConfig, read_config_file, single_model
from services.model_server.core.manager import ModelManager
from services.model_server.core.poller import Poller
from services.model_server.core.servable import Servable
from services.model_server.flags import Flags
from services.model_server.grpc_api.server import GrpcServer

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
    models = read_models(flags)
    manager = ModelManager(models, load)
    grpc_server = GrpcServer(manager, flags.port)
    poller = Poller(manager, models, flags.file_system_poll_wait_seconds)
    grpc_server.start()
    _log.info("ports open", grpc=flags.port, models=[model.name for model in models])
    poller.start()
    stopping.wait()
    start = time.perf_counter()
    _log.info("draining", at_most_seconds=DRAIN_SECONDS)
    grpc_server.stop(DRAIN_SECONDS)
    poller.stop()
    manager.close()
    _log.info("stopped", seconds=round(time.perf_counter() - start, 3))


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
