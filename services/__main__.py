"""`python -m services [MODELS]`: runs the model server and the gateway on one machine.

MODELS is a model repository with its `models.config`; the default is `models`.

A model server that is killed is restarted. Ctrl-C, SIGTERM and a closed terminal stop the gateway
first, so that accepted requests are answered; a second Ctrl-C kills both.

Ports come from the environment: GATEWAY_PORT (8080), GRPC_PORT (8500) and REST_PORT (8501).
The logs go to a file, and to the screen instead with VERBOSE=1.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from services.console import Console, default_log_path
from services.loading import Loading
from services.supervised import SupervisedProcess

CONFIG_NAME = "models.config"
PORTS = {"GATEWAY_PORT": 8080, "GRPC_PORT": 8500, "REST_PORT": 8501}

_ADDRESSES = ("GATEWAY_PORT", "REST_PORT")

_SECONDS_TO_STOP = 30.0
"""Limit for each service; their own limits for requests in progress are shorter."""

_SECONDS_BETWEEN_CHECKS = 0.2


def main(arguments: Sequence[str]) -> int:
    """Runs both services until Ctrl-C or until one cannot continue; returns the exit status."""
    models = Path(arguments[0] if arguments else "models")
    if not (models / CONFIG_NAME).is_file():
        sys.stderr.write(
            f"{models} holds no {CONFIG_NAME}, which names the models to serve. Export one first: "
            f"lectern export MODEL.keras --name NAME --models {models}\n"
        )
        return 2
    try:
        ports = {name: free_port(name, default) for name, default in PORTS.items()}
        is_verbose = bool(os.environ.get("VERBOSE"))
        console = Console(None if is_verbose else default_log_path(ports["GATEWAY_PORT"]))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(
            f"The log file cannot be written ({error}): set XDG_STATE_HOME to a folder that can, "
            "or VERBOSE=1 to read the logs on the screen\n"
        )
        return 2
    with console:
        return run(console, ports, models)


def run(console: Console, ports: dict[str, int], models: Path) -> int:
    """Runs both services, and stops them at the end; returns the exit status."""
    console.say(f"Starting the model server and the gateway on {models} …")
    model_server, gateway = (
        SupervisedProcess(name, [sys.executable, "-m", *arguments], console, environment)
        for name, arguments, environment in processes(ports, models)
    )
    loading = Loading(console, *(f"http://127.0.0.1:{ports[name]}" for name in _ADDRESSES))
    with ExitStack() as endings:  # Reversed; each runs even where the screen is gone.
        endings.callback(console.say, "Lectern has stopped.")
        endings.callback(console.progress, "")
        endings.callback(model_server.stop, _SECONDS_TO_STOP)
        endings.callback(gateway.stop, _SECONDS_TO_STOP)
        endings.callback(console.progress, "stopping: requests in progress are answered")
        endings.callback(loading.stop)
        loading.start()
        return watch(model_server, gateway)


def watch(model_server: SupervisedProcess, gateway: SupervisedProcess) -> int:
    """Waits for a signal, or until a process ends for good. A signal after that kills both.

    Returns:
        The exit status: 0 after a signal, 1 otherwise.
    """
    # Not an Event: a handler that interrupts a method of the Event would wait for its lock forever.
    received: list[int] = []

    def stop(number: int, _frame: object) -> None:
        if received:
            gateway.kill()
            model_server.kill()
        received.append(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # `nohup` ignores the signal of a closed terminal.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        while not received:
            if gateway.ending:
                gateway.report(gateway.ending)
                return 1
            if not model_server.restart_if_killed():
                return 1
            time.sleep(_SECONDS_BETWEEN_CHECKS)
        return 0
    finally:
        received.append(0)  # From here on, one Ctrl-C kills.


def free_port(name: str, default: int) -> int:
    """Returns the port in the environment variable `name`.

    Raises:
        ValueError: the value is not a port number, or the port cannot be listened on.
    """
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise ValueError(f"{name} is {text!r}, expected a port number from 1 to 65535.")
    port = int(text)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            other = port + 1000 if port < 60000 else default
            raise ValueError(
                f"Port {port} cannot be used ({error.strerror}): stop what listens there, "
                f"or choose another one: make run {name}={other}"
            ) from None
    return port


def processes(ports: dict[str, int], models: Path) -> list[tuple[str, list[str], dict[str, str]]]:
    """Returns the name, the module with its arguments, and the environment of each process.

    Args:
        ports: the three ports, by the names in PORTS.
        models: the model repository.
    """
    model_server = [
        "services.model_server",
        f"--port={ports['GRPC_PORT']}",
        f"--rest_api_port={ports['REST_PORT']}",
        f"--model_config_file={models / CONFIG_NAME}",
        # Models that are exported later are served too.
        "--model_config_file_poll_wait_seconds=2",
        "--enable_background_warmup",
    ]
    gateway_environment = {
        "LECTERN_PORT": str(ports["GATEWAY_PORT"]),
        "LECTERN_MODEL_SERVER": f"127.0.0.1:{ports['GRPC_PORT']}",
        "LECTERN_MODEL_CONFIG_FILE": str(models / CONFIG_NAME),
    }
    logs = {"LECTERN_LOG_FORMAT": os.environ.get("LECTERN_LOG_FORMAT", "text")}
    return [
        ("model-server", model_server, logs),
        ("gateway", ["services.gateway"], gateway_environment | logs),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
