"""Measures the whole stack beside the session in it: `python -m benchmarks.gateway_bench`.

The model server, the gateway, the load generator and the session share the machine. Every number is
the median of several short rounds, each of which measures the session anew; every answer is checked
for its status and its label. The gateway's log is set to warnings, so that the pipe it writes to is
not measured along.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import requests
from PIL import Image
from rich.console import Console
from rich.table import Table

from benchmarks.bench import FLAGS, Server, served
from benchmarks.generators import Load
from benchmarks.session import SessionCeiling
from benchmarks.verified import Body, verified_wrk
from tests.processes import ROOT, SAMPLES, Running, free_port, module, running, wait_until

MEGABYTE = 2**20
PATH = "/v1/models/cnn:predict"
CONNECTIONS = (1, 16, 64)
LEAST_RATIO = {("PNG", 16): 0.5, ("PNG", 64): 0.6, ("JSON", 64): 0.4}
"""Requests a second over the session's images a second, from two threads at batch 1."""
MOST_P50_MS = {("PNG", 1): 2.5}
SOAK_WARM_UP_SECONDS = 10
MOST_SPREAD = 5
"""The 99th percentile over the median."""


class Row(NamedTuple):
    """What one line of the table measures."""

    gateway: str
    form: str
    connections: int


class Gateway(NamedTuple):
    """A running gateway."""

    url: str
    process: Running

    def largest_worker(self) -> float:
        """Return the resident memory of the largest worker, in MiB."""
        children = psutil.Process(self.process.process.pid).children(recursive=True)
        return max(child.memory_info().rss for child in children) / MEGABYTE


def commands(names: list[str]) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Return the command line and the environment of each way to run the gateway."""
    port = str(free_port())
    granian = shutil.which("granian", path=str(Path(sys.executable).parent))
    alone = {"LECTERN_UPSTREAM_BATCHING": "false"}
    known = {
        "gunicorn": (module("services.gateway"), {}),
        "gunicorn, one call each": (module("services.gateway"), alone),
    }
    if granian:
        arguments = "--interface wsgi --workers 2 --blocking-threads 64 --log-level warning"
        target = ["--port", port, "--factory", "benchmarks.granian_app:app"]
        known["granian"] = ([granian, *arguments.split(), *target], {"LECTERN_PORT": port})
    if unknown := set(names) - known.keys():
        raise SystemExit(f"received {sorted(unknown)}, expected some of {sorted(known)}")
    return {name: known[name] for name in names or known}


@contextmanager
def started(command: list[str], environment: dict[str, str], server: Server) -> Iterator[Gateway]:
    """Run a gateway until the block ends."""
    settings = {
        "LECTERN_PORT": str(free_port()),
        "LECTERN_MODELS": "cnn",
        "LECTERN_MODEL_SERVER": f"127.0.0.1:{server.grpc}",
        "LECTERN_LOG_LEVEL": "warning",
        **environment,
    }
    url = f"http://127.0.0.1:{settings['LECTERN_PORT']}"
    with running(*command, environment=settings) as process:
        wait_until(lambda: _is_ready(url), 60, f"{command} is ready")
        yield Gateway(url, process)


def bodies(session: SessionCeiling) -> dict[str, Body]:
    """Return one image in each form, with the label that the session gives it."""
    path = SAMPLES / "bag.png"
    pixels = np.asarray(Image.open(path), np.float32)[None, ..., None]
    [label] = session.predict(pixels)["label"]
    text = f'"label":"{label.decode()}"'
    document = json.dumps({"instances": pixels.astype(int).tolist()}).encode()
    return {
        # The first label after this is that of the top class.
        "PNG": Body(path.read_bytes(), "image/png", f'"predictions":[{{"file":null,{text}'),
        "JSON": Body(document, "application/json", text),
    }


def measure(
    gateways: dict[str, Gateway], session: SessionCeiling, rounds: int, seconds: int
) -> tuple[list[float], dict[Row, list[Load]]]:
    """Return the session's images a second and each row's load, round by round."""
    image = np.zeros((1, 28, 28, 1), np.float32)
    sent = bodies(session)
    ceilings: list[float] = []
    rows: dict[Row, list[Load]] = defaultdict(list)
    for _ in range(rounds):
        rate, _micros = session.run_for(image, seconds, threads=2)
        ceilings.append(rate)
        for connections in CONNECTIONS:
            for form, body in sent.items():
                for name, gateway in gateways.items():
                    load = verified_wrk(gateway.url + PATH, body, connections, seconds)
                    rows[Row(name, form, connections)].append(load)
    return ceilings, rows


def table(ceilings: list[float], rows: dict[Row, list[Load]]) -> Table:
    """Lay the medians out, with the targets that each row missed."""
    result = Table(title="The whole stack; medians", show_edge=False)
    for column in ("gateway", "body", "conns", "req/s", "of C", "p50 ms", "p99 ms", "missed"):
        result.add_column(column, justify="right", no_wrap=True)
    for row, loads in sorted(rows.items()):
        pairs = zip(loads, ceilings, strict=True)
        ratio = float(np.median([load.requests_per_second / ceiling for load, ceiling in pairs]))
        rate, p50, p99 = (
            float(np.median([getattr(load, name) for load in loads]))
            for name in ("requests_per_second", "p50_ms", "p99_ms")
        )
        cells = f"{rate:,.0f}", f"{ratio:.2f}", f"{p50:.2f}", f"{p99:.2f}"
        result.add_row(
            row.gateway, row.form, str(row.connections), *cells, _missed(row, ratio, p50, p99)
        )
    return result


def _missed(row: Row, ratio: float, p50: float, p99: float) -> str:
    key = row.form, row.connections
    targets = {f"p99 < {MOST_SPREAD} p50": p99 < MOST_SPREAD * p50}
    if key in LEAST_RATIO:
        targets[f"{LEAST_RATIO[key]} C"] = ratio >= LEAST_RATIO[key]
    if key in MOST_P50_MS:
        targets[f"p50 < {MOST_P50_MS[key]} ms"] = p50 < MOST_P50_MS[key]
    return ", ".join(target for target, met in targets.items() if not met) or "-"


def soak(gateway: Gateway, body: Body, seconds: int) -> str:
    """Send for a while, and return how the largest worker grew."""
    warm_up = verified_wrk(gateway.url + PATH, body, 16, SOAK_WARM_UP_SECONDS)
    before = gateway.largest_worker()
    load = verified_wrk(gateway.url + PATH, body, 16, seconds)
    return (
        f"{before:.0f} MiB after {warm_up.requests:,} requests, {gateway.largest_worker():.0f} MiB "
        f"after {load.requests:,} more"
    )


def cold_start_seconds(attempts: int = 3) -> float:
    """Return the shortest time from starting a gateway to its first answer."""
    seconds = []
    for _ in range(attempts):
        url = f"http://127.0.0.1:{free_port()}"
        environment = {"LECTERN_PORT": url.rpartition(":")[2]}
        start = time.monotonic()
        with running(*module("services.gateway"), environment=environment):
            wait_until(lambda url=url: _answers(f"{url}/livez"), 60, "livez")
            seconds.append(time.monotonic() - start)
    return min(seconds)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def _is_ready(url: str) -> bool:
    return _answers(f"{url}/readyz")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="default %(default)s")
    parser.add_argument("--seconds", type=int, default=2, help="a measurement; default %(default)s")
    parser.add_argument("--soak", type=int, default=0, help="seconds more, to see memory stay flat")
    parser.add_argument("gateways", nargs="*", help="by default all that are installed")
    arguments = parser.parse_args()
    # Whole lines, also where it writes to a file.
    console = Console(width=120)
    session = SessionCeiling(ROOT / "models/cnn/1")
    with ExitStack() as stack:
        server = stack.enter_context(served(*FLAGS))
        gateways = {
            name: stack.enter_context(started(command, environment, server))
            for name, (command, environment) in commands(arguments.gateways).items()
        }
        ceilings, rows = measure(gateways, session, arguments.rounds, arguments.seconds)
        console.print(table(ceilings, rows))
        for name, gateway in gateways.items():
            console.print(f"{name}: largest worker {gateway.largest_worker():.0f} MiB")
            if arguments.soak:
                console.print(f"{name}: {soak(gateway, bodies(session)['PNG'], arguments.soak)}")
    rates = ", ".join(f"{rate:,.0f}" for rate in ceilings)
    console.print(f"C, the session at batch 1 from two threads, round by round: {rates} images/s")
    console.print(f"Cold start to the first answer: {cold_start_seconds():.2f} s")


if __name__ == "__main__":
    main()
