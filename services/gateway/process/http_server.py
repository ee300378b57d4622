"""The HTTP server: gunicorn, configured for the gateway."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import structlog
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from services.gateway.process.balance import ConnectionCounts
from services.gateway.process.buffering_worker import BufferingWorker
from services.gateway.process.connection import SECONDS_TO_MOVE
from services.gateway.process.listener import listen
from services.gateway.settings import Settings
from services.gateway.telemetry.logs import GunicornLogger, configure_logging
from services.host.sockets import ignore_new_connections

if TYPE_CHECKING:
    from flask import Flask

_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_DRAIN_MARGIN_SECONDS = 2
_SPARE_PLACES = 8
_SECONDS_BETWEEN_STARTS = 1.0
_CANNOT_START_YET = 1
"""Exit status of a worker after which gunicorn starts another one."""

log = structlog.get_logger()


def serve(settings: Settings) -> None:
    """Answers HTTP until SIGTERM or SIGINT; requests in progress are finished first.

    Raises:
        ListenError: the port is in use, or the address does not belong to this machine.
    """
    configure_logging(settings)
    listener = listen(settings.host, settings.port)
    if not settings.api_keys_file:
        log.info(
            "no API keys: every client may call",
            hint="LECTERN_API_KEYS_FILE",
        )
    os.environ[_METRICS_FOLDER] = tempfile.mkdtemp(prefix="lectern-metrics-")
    try:
        _Server(settings, listener).run()
    except HaltServer as halt:
        # Gunicorn's own handling of this case fails when two workers cannot start.
        _remove_metrics_folder()
        sys.exit(halt.exit_status)


class _Arbiter(Arbiter):  # type: ignore[misc]
    """Gunicorn's parent process, which loses no connection when it stops."""

    def stop(self, graceful: bool = True) -> None:
        """Stops the workers."""
        for listener in self.LISTENERS:
            ignore_new_connections(listener)
        super().stop(graceful)


class _Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn without configuration files or command line.

    The parent process imports neither Flask nor gRPC: every worker loads the application, and opens
    its channel to the model server, after the fork.
    """

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings
        self._is_replacement = False
        # Gunicorn takes the descriptor over and closes it.
        self._descriptor = listener.detach()
        super().__init__()

    def load_config(self) -> None:
        BufferingWorker.max_waiting = self._settings.max_waiting_requests
        BufferingWorker.max_body_bytes = self._settings.max_body_bytes
        # Twice as many while SIGHUP replaces them.
        BufferingWorker.counts = ConnectionCounts(2 * self._settings.workers + _SPARE_PLACES)
        options = {
            "bind": f"fd://{self._descriptor}",
            "worker_class": BufferingWorker,
            "workers": self._settings.workers,
            "threads": self._settings.threads,
            "worker_connections": self._settings.max_connections,
            "graceful_timeout": int(
                SECONDS_TO_MOVE + self._settings.timeout_seconds + _DRAIN_MARGIN_SECONDS
            ),
            "logger_class": GunicornLogger,
            "control_socket_disable": True,
            "pre_fork": self._prepare,
            "child_exit": _child_exit,
            "on_exit": lambda _arbiter: _remove_metrics_folder(),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def run(self) -> None:
        """Runs until a signal ends it."""
        _Arbiter(self).run()

    def load(self) -> Flask:
        from services.gateway.process.startup import load_app  # noqa: PLC0415 - see the class

        app = load_app(self._settings)
        if app is None and self._is_replacement:
            # A file that became unusable ends no gateway that runs.
            time.sleep(_SECONDS_BETWEEN_STARTS)
            sys.exit(_CANNOT_START_YET)
        if app is None:
            sys.exit(Arbiter.APP_LOAD_ERROR)
        return app

    def _prepare(self, arbiter: Arbiter, worker: BufferingWorker) -> None:
        """Gives a worker its place, in the parent process."""
        taken = {each.place for each in arbiter.WORKERS.values()}
        worker.place = min(set(range(len(worker.counts))) - taken)
        self._is_replacement = worker.age > self._settings.workers


def _child_exit(_arbiter: Arbiter, worker: BufferingWorker) -> None:
    worker.counts.remove(worker.place)
    # Looks for the metrics folder when it is imported.
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def _remove_metrics_folder() -> None:
    shutil.rmtree(os.environ[_METRICS_FOLDER], ignore_errors=True)
