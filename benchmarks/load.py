"""Load generators: wrk for HTTP, h2load for gRPC (Debian: `wrk`, `nghttp2-client`)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

TIMEOUT_SECONDS = 30

_WRK_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "{content_type}"
wrk.body = io.open("{body}", "rb"):read("*all")
local threads = {{}}
setup = function(thread) table.insert(threads, thread) end
wrong = 0
response = function(status, headers, body)
  if status ~= 200 or not string.find(body, '{expected}') then wrong = wrong + 1 end
end
done = function(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout
  for _, thread in ipairs(threads) do failed = failed + thread:get("wrong") end
  io.write(string.format('{{"requests": %d, "micros": %d, "failed": %d, "p50": %.1f, ' ..
    '"p99": %.1f}}\\n', summary.requests, summary.duration, failed,
    latency:percentile(50), latency:percentile(99)))
end
"""


class LoadError(Exception):
    """A load generator is missing, or a request was not answered correctly."""


@dataclass(frozen=True)
class Load:
    """Result of a load generator.

    Attributes:
        requests: number of answered requests.
        requests_per_second: their rate.
        p50_ms: median latency, in milliseconds.
        p99_ms: 99th percentile.
    """

    requests: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float


class Request(Protocol):
    """A prepared request that can be sent under load."""

    def send(self, connections: int, seconds: int) -> Load:
        """Sends the request again and again on each connection, one at a time.

        Raises:
            LoadError: the load generator is missing, or an answer was wrong.
        """


@dataclass(frozen=True)
class HttpRequest:
    """A POST request that wrk sends.

    Attributes:
        url: URL of the call.
        content: body.
        content_type: media type of the body.
        label: the label that every answer must have.
    """

    url: str
    content: bytes
    content_type: str
    label: str

    def send(self, connections: int, seconds: int) -> Load:
        """Sends the request under load (see `Request`)."""
        # Lua's patterns: white space after the colon is optional, punctuation is escaped.
        expected = '"label":%s*"' + re.sub(r"(\W)", r"%\1", self.label) + '"'
        with tempfile.TemporaryDirectory() as folder:
            body, script = Path(folder, "body"), Path(folder, "script.lua")
            body.write_bytes(self.content)
            script.write_text(
                _WRK_SCRIPT.format(content_type=self.content_type, body=body, expected=expected)
            )
            report = _run(
                *("wrk", "-t1", f"-c{connections}", f"-d{seconds}s"),
                *(f"--timeout={TIMEOUT_SECONDS}s", f"-s{script}", self.url),
            )
        seen = json.loads(report.splitlines()[-1])
        if seen["failed"] or not seen["requests"]:
            raise LoadError(f"{self.url}: {seen['requests']} answers, {seen['failed']} of them bad")
        rate = seen["requests"] / (seen["micros"] / 1e6)
        return Load(seen["requests"], rate, seen["p50"] / 1000, seen["p99"] / 1000)


@dataclass(frozen=True)
class GrpcRequest:
    """A gRPC request that h2load sends.

    Attributes:
        url: URL of the method.
        message: the serialized message with its gRPC prefix.
        answer_bytes: length of a correct answer with its prefix; an error has no message.
    """

    url: str
    message: bytes
    answer_bytes: int

    def send(self, connections: int, seconds: int) -> Load:
        """Sends the request under load (see `Request`)."""
        with tempfile.TemporaryDirectory() as folder:
            body, log = Path(folder, "body"), Path(folder, "log")
            body.write_bytes(self.message)
            # Without --warm-up-time, which would drop the log: it measures a few handshakes too.
            report = _run(
                *("h2load", "-t1", "-m1", f"-c{connections}", f"-D{seconds}", f"-d{body}"),
                *("-Hcontent-type: application/grpc", "-Hte: trailers"),
                *(f"--log-file={log}", self.url),
            )
            done, failed = _numbers(r"(\d+) done, \d+ succeeded, (\d+) failed", report)
            [received] = _numbers(r"\((\d+)\) data", report)
            # The end of the measurement cuts off at most one answer per connection.
            extra = received - done * self.answer_bytes
            if failed or not done or not 0 <= extra <= connections * self.answer_bytes:
                raise LoadError(
                    f"{self.url}: {done} answers of {received} bytes and {failed} failures, "
                    f"expected {self.answer_bytes} bytes each"
                )
            milliseconds = np.loadtxt(log, usecols=2, ndmin=1) / 1000
        p50, p99 = np.percentile(milliseconds, [50, 99])
        return Load(done, done / seconds, float(p50), float(p99))


def _run(*command: str) -> str:
    if not shutil.which(command[0]):
        raise LoadError(f"{command[0]} is missing: apt-get install wrk nghttp2-client")
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise LoadError(f"{' '.join(command)} failed: {ended.stderr or ended.stdout}")
    return ended.stdout


def _numbers(pattern: str, report: str) -> list[int]:
    match = re.search(pattern, report)
    if not match:
        raise LoadError(f"{pattern!r} is not in the report: {report}")
    return [int(number) for number in match.groups()]
