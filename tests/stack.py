"""The model server and a gateway of one worker as processes, whose memory and time can be read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from tests.processes import ROOT, Running, free_port, module, running, wait_until
from tests.transport import TRANSPORT

COMMITTED = {folder.parent.name: folder.parent for folder in sorted((ROOT / "models").glob("*/1"))}
"""The folder of every model of this repository, by name."""

_ENTRY = 'config {{ name: "{}" base_path: "{}" model_platform: "tensorflow" }}'
_SECONDS_TO_START = 300  # other work may hold the processors


@dataclass(frozen=True)
class Stack:
    """A running model server and gateway.

    Attributes:
        ports: of the `gateway`, and of the model server's `rest` and `grpc`.
        launched: the two commands, by the names of `processes`.
        processes: what answers: the gateway's `worker` and the `model server`.
    """

    ports: Mapping[str, int]
    launched: Mapping[str, Running]
    processes: Mapping[str, psutil.Process]

    def url(self, service: str = "gateway") -> str:
        return f"http://127.0.0.1:{self.ports[service]}"

    def is_intact(self) -> bool:
        """Tell whether the processes that were started first still answer."""
        return all(process.is_running() for process in self.processes.values()) and all(
            each.process.poll() is None for each in self.launched.values()
        )

    def output(self) -> list[str]:
        """Return what both have written so far, line by line."""
        return [line for each in self.launched.values() for line in each.lines]


@contextmanager
def started(
    models: Mapping[str, Path],
    settings: Mapping[str, str] | None = None,
    flags: Sequence[str] = (),
) -> Iterator[Stack]:
    """Run the model server and the gateway until the block ends.

    Args:
        models: the folder of each model, by name.
        settings: of the gateway, beside its addresses.
        flags: of the model server, beside its addresses.
    """
    ports = {service: free_port() for service in ("gateway", "rest", "grpc")}
    with tempfile.NamedTemporaryFile("w", suffix=".config") as config, ExitStack() as stack:
        entries = " ".join(_ENTRY.format(name, folder) for name, folder in models.items())
        config.write(f"model_config_list {{ {entries} }}")
        config.flush()
        model_server = module(
            "services.model_server",
            f"--port={ports['grpc']}",
            f"--rest_api_port={ports['rest']}",
            f"--model_config_file={config.name}",
            f"--grpc_transport={TRANSPORT}",
            *flags,
        )
        environment = {
            "LECTERN_PORT": str(ports["gateway"]),
            "LECTERN_MODEL_SERVER": f"127.0.0.1:{ports['grpc']}",
            "LECTERN_MODEL_CONFIG_FILE": config.name,
            "LECTERN_WORKERS": "1",
            "LECTERN_LOG_LEVEL": "error",
        }
        launched = {
            "model server": stack.enter_context(running(*model_server)),
            "worker": stack.enter_context(
                running(*module("services.gateway"), environment=environment | dict(settings or {}))
            ),
        }
        wait_until(lambda: _is_ready(ports["gateway"]), _SECONDS_TO_START, "the gateway is ready")
        [worker] = psutil.Process(launched["worker"].process.pid).children()
        model_server_process = psutil.Process(launched["model server"].process.pid)
        yield Stack(ports, launched, {"model server": model_server_process, "worker": worker})


def _is_ready(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok
    except requests.RequestException:
        return False
