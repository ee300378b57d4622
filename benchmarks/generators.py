"""Runs h2load and wrk (Debian: `nghttp2-client`, `wrk`) and reads what they measured."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

JSON_TOLERANCE = 0.03
"""By how much a JSON answer may differ in length: the last digit of a float varies with the batch;
its HTTP status tells an error apart."""
MAX_CONNECTIONS = 64
TIMEOUT_SECONDS = 30
"""After which wrk counts an answer as missing; it would be 2."""

_WRK_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = io.open("{body}", "rb"):read("*all")
done = function(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('{{"requests": %d, "micros": %d, "bytes": %d, "failed": %d, ' ..
    '"p50": %.1f, "p99": %.1f}}\\n', summary.requests, summary.duration, summary.bytes, failed,
    latency:percentile(50), latency:percentile(99)))
end
"""


class LoadError(Exception):
    """A load generator is missing, or not every request was answered in full."""


@dataclass(frozen=True)
class Load:
    """What a load generator saw.

    Attributes:
        requests: how many were answered.
        requests_per_second: the same by time.
        p50_ms: the median latency, in milliseconds.
        p99_ms: the 99th percentile.
    """

    requests: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float


def h2load(url: str, body: bytes, connections: int, seconds: int, answer_bytes: int) -> Load:
    """Send one gRPC request after another on each connection.

    Args:
        url: of the gRPC method.
        body: the message with its gRPC prefix.
        connections: how many, each with one request at a time.
        seconds: how long.
        answer_bytes: the length of a right answer, with its gRPC prefix; an error has none.

    Raises:
        LoadError: see there.
    """
    with tempfile.TemporaryDirectory() as folder:
        sent, log = Path(folder, "body"), Path(folder, "log")
        sent.write_bytes(body)
        # Without --warm-up-time the connections' handshakes are measured along: a few of them.
        report = run_generator(
            *("h2load", "-t1", "-m1", f"-c{connections}", f"-D{seconds}", f"-d{sent}"),
            *("-Hcontent-type: application/grpc", "-Hte: trailers", f"--log-file={log}", url),
        )
        done, failed = _numbers(r"(\d+) done, \d+ succeeded, (\d+) failed", report)
        [data] = _numbers(r"\((\d+)\) data", report)
        _check(done, failed, data, answer_bytes, tolerance=0)
        milliseconds = np.loadtxt(log, usecols=2, ndmin=1) / 1000
    return Load(done, done / seconds, *np.percentile(milliseconds, [50, 99]))


def wrk(url: str, body: bytes, connections: int, seconds: int, answer_bytes: int) -> Load:
    """Post one JSON body after another on each connection.

    Args:
        url: of the REST call.
        body: JSON.
        connections: how many, each with one request at a time.
        seconds: how long.
        answer_bytes: the length of a right answer, with its status line and headers.

    Raises:
        LoadError: see there.
    """
    with tempfile.TemporaryDirectory() as folder:
        sent, script = Path(folder, "body"), Path(folder, "script.lua")
        sent.write_bytes(body)
        script.write_text(_WRK_SCRIPT.format(body=sent))
        report = run_generator(
            *("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"--timeout={TIMEOUT_SECONDS}s"),
            *(f"-s{script}", url),
        )
    seen = json.loads(report.splitlines()[-1])
    _check(seen["requests"], seen["failed"], seen["bytes"], answer_bytes, tolerance=JSON_TOLERANCE)
    rate = seen["requests"] / (seen["micros"] / 1e6)
    return Load(seen["requests"], rate, seen["p50"] / 1000, seen["p99"] / 1000)


def run_generator(*command: str) -> str:
    if not shutil.which(command[0]):
        raise LoadError(f"{command[0]} is missing: apt-get install wrk nghttp2-client")
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise LoadError(f"{' '.join(command)} failed: {ended.stderr or ended.stdout}")
    return ended.stdout


def _numbers(pattern: str, report: str) -> list[int]:
    match = re.search(pattern, report)
    if not match:
        raise LoadError(f"no {pattern!r} in the report: {report}")
    return [int(number) for number in match.groups()]


def _check(done: int, failed: int, received: int, answer_bytes: int, *, tolerance: float) -> None:
    if failed:
        raise LoadError(f"{done} requests were answered and {failed} failed")
    if not done:
        raise LoadError("no request was answered in that time: measure for longer")
    least = done * answer_bytes * (1 - tolerance)
    # The end of the measurement cuts off answers that were half there: one a connection.
    most = done * answer_bytes * (1 + tolerance) + MAX_CONNECTIONS * answer_bytes
    if not least <= received <= most:
        raise LoadError(
            f"{done} answers had {received} bytes, expected {answer_bytes} each: some were errors"
        )
