"""Runs wrk (Debian: `wrk`) with a look at every answer: its status and a text that it must hold."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.generators import Load, LoadError, run_generator

_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "{content_type}"
wrk.body = io.open("{body}", "rb"):read("*all")
local threads = {{}}
setup = function(thread) table.insert(threads, thread) end
wrong = 0
response = function(status, headers, body)
  if status ~= 200 or not string.find(body, '{expected}', 1, true) then wrong = wrong + 1 end
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


class Body(NamedTuple):
    """What is sent.

    Attributes:
        content: the bytes.
        content_type: their type.
        expected: what each answer must hold; with no quote in it but the double one.
    """

    content: bytes
    content_type: str
    expected: str


def verified_wrk(url: str, body: Body, connections: int, seconds: int) -> Load:
    """Post one body after another on each connection.

    Args:
        url: where they go.
        body: what is sent, and what must come back.
        connections: how many, each with one request at a time.
        seconds: how long.

    Raises:
        LoadError: wrk is missing, or an answer was not 200 or does not hold that text.
    """
    with tempfile.TemporaryDirectory() as folder:
        sent, script = Path(folder, "body"), Path(folder, "script.lua")
        sent.write_bytes(body.content)
        text = {"content_type": body.content_type, "expected": body.expected}
        script.write_text(_SCRIPT.format(body=sent, **text))
        report = run_generator(
            "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"-s{script}", "--timeout=10s", url
        )
    seen = json.loads(report.splitlines()[-1])
    if seen["failed"] or not seen["requests"]:
        raise LoadError(f"{url}: {seen['requests']} answers, {seen['failed']} of them wrong")
    rate = seen["requests"] / (seen["micros"] / 1e6)
    return Load(seen["requests"], rate, seen["p50"] / 1000, seen["p99"] / 1000)
