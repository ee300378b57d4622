"""`python -m services`: the model server and the gateway side by side on one machine.

Ports come from the environment: GATEWAY_PORT (8080), GRPC_PORT (8500) and REST_PORT (8501).
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys

from honcho.manager import SIGNALS, Manager

PORTS = {"GATEWAY_PORT": 8080, "GRPC_PORT": 8500, "REST_PORT": 8501}


def main() -> int:
    """Run both services until one stops or Ctrl-C; return the exit status."""
    try:
        ports = {name: free_port(name, default) for name, default in PORTS.items()}
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    manager = Manager()
    for name, arguments, environment in processes(ports):
        command = shlex.join([sys.executable, "-m", *arguments])
        manager.add_process(name, f"exec {command}", env={**os.environ, **environment})
    greeter = subprocess.Popen(
        [sys.executable, "-m", "services.first_prediction", str(ports["GATEWAY_PORT"])],
        start_new_session=True,  # Ctrl-C is ours to handle
    )
    try:
        manager.loop()
    finally:
        greeter.terminate()
        greeter.wait()
    asked_to_stop = manager.returncode in {
        SIGNALS[s]["rc"] for s in (signal.SIGINT, signal.SIGTERM)
    }
    return 0 if asked_to_stop else manager.returncode or 1


def free_port(name: str, default: int) -> int:
    """Return the port that the environment variable `name` asks for.

    Raises:
        ValueError: it is no port number, or the port cannot be listened on.
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


def processes(ports: dict[str, int]) -> list[tuple[str, list[str], dict[str, str]]]:
    """Return name, module with arguments, and environment of each process.

    Args:
        ports: the three ports, by the names in PORTS.
    """
    model_server = [
        "services.model_server",
        f"--port={ports['GRPC_PORT']}",
        f"--rest_api_port={ports['REST_PORT']}",
        "--model_config_file=models/models.config",
    ]
    gateway_environment = {
        "LECTERN_PORT": str(ports["GATEWAY_PORT"]),
        "LECTERN_MODEL_SERVER": f"127.0.0.1:{ports['GRPC_PORT']}",
    }
    logs = {"LECTERN_LOG_FORMAT": os.environ.get("LECTERN_LOG_FORMAT", "text")}
    return [
        ("model-server", model_server, logs),
        ("gateway", ["services.gateway"], gateway_environment | logs),
    ]


if __name__ == "__main__":
    sys.exit(main())
