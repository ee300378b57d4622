"""Runs a case: sends its requests, and measures what they cost the processes that answer.

The highest resident memory of a process is Linux's VmHWM, which is set back before each case.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from tests.hostile.requests import Request, Status
from tests.processes import SAMPLES
from tests.stack import Stack

MEGABYTE = 2**20
LIVEZ_SECONDS = 2.0
"""In which a probe must be answered, whatever else happens; alone it takes a millisecond or two."""

_SAMPLE = (SAMPLES / "bag.png").read_bytes()


@dataclass(frozen=True)
class Case:
    """What a client sends, what answers it, and what that may cost.

    Attributes:
        name: what is sent, and to which surface.
        requests: makes what one client sends, one after the other.
        statuses: that may answer them.
        clients: how many send at once, each the same.
        times: what each process may take, in multiples of the decoded size of the bodies that are
            there at once.
        megabytes: what each may take beyond that.
        seconds: processor time of both processes, for all requests together.
    """

    name: str
    requests: Callable[[], Sequence[Request]]
    statuses: frozenset[Status]
    clients: int = 1
    times: float = 4
    megabytes: float = 64
    seconds: float = 2


class Meter:
    """The highest memory of a process, and its processor time, from now on."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")
        self._memory = process.memory_info().rss
        self._seconds = self._processor_seconds()

    def growth(self) -> int:
        """Return by how many bytes the highest memory is above that of the start."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        [peak] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
        return int(peak) * 1024 - self._memory

    def seconds(self) -> float:
        return self._processor_seconds() - self._seconds

    def _processor_seconds(self) -> float:
        times = self._process.cpu_times()
        return times.user + times.system


def run(case: Case, stack: Stack) -> None:
    """Run a case.

    Raises:
        AssertionError: an answer of another status, too much memory or time, a late probe, a
            process that ended, a traceback in a log, or a prediction that is wrong afterwards.
    """
    sent = case.requests()
    bound = case.megabytes * MEGABYTE + case.times * case.clients * max(
        request.decoded_bytes for request in sent
    )
    with measured(stack, bound, case.seconds):
        with ThreadPoolExecutor(case.clients) as pool:
            every = [*pool.map(lambda _: _send(sent, stack), range(case.clients))]
        for statuses in every:
            for request, status in zip(sent, statuses, strict=True):
                assert status in case.statuses, (status, _excerpt(request))


@contextmanager
def measured(stack: Stack, most_bytes: float, most_seconds: float) -> Iterator[None]:
    """Hold what happens within the block to bounds, and see that both processes outlive it."""
    lines = {name: len(each.lines) for name, each in stack.launched.items()}
    meters = {name: Meter(process) for name, process in stack.processes.items()}
    with probed(stack) as answered:
        yield
    assert stack.is_intact(), stack.output()[-3:]
    growth = {name: meter.growth() for name, meter in meters.items()}
    seconds = sum(meter.seconds() for meter in meters.values())
    predicts(stack)
    problems = [
        f"the {name} grew by {size / MEGABYTE:.0f} MiB, at most {most_bytes / MEGABYTE:.0f}"
        for name, size in growth.items()
        if size > most_bytes
    ]
    if seconds > most_seconds:
        problems.append(f"{seconds:.1f} s of the processors, at most {most_seconds}")
    if max(answered) > LIVEZ_SECONDS:
        problems.append(f"/livez was answered after {max(answered):.1f} s")
    for name, each in stack.launched.items():
        if "Traceback" in (log := "\n".join(each.lines[lines[name] :])):
            problems.append(f"a traceback in the log: {log[:3000]}")
    assert not problems, "; ".join(problems)


@contextmanager
def probed(stack: Stack) -> Iterator[list[float]]:
    """Ask for `/livez` all the while, and give the seconds that each answer took."""
    answered: list[float] = []
    done = threading.Event()

    def ask() -> None:
        with requests.Session() as session:
            while not answered or not done.wait(0.1):
                start = time.monotonic()
                assert session.get(f"{stack.url()}/livez", timeout=30).ok
                answered.append(time.monotonic() - start)

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            yield answered
        finally:
            done.set()
        asking.result()


def predicts(stack: Stack) -> None:
    """See that the next prediction is the right one."""
    url = f"{stack.url()}/v1/models/cnn:predict"
    answer = requests.post(url, _SAMPLE, headers={"Content-Type": "image/png"}, timeout=10)
    assert answer.status_code == 200, answer.text
    assert answer.json()["predictions"][0]["label"] == "Bag"


def _send(sent: Sequence[Request], stack: Stack) -> list[Status]:
    statuses = []
    for request in sent:
        statuses.append(request.send(stack))
        assert stack.is_intact(), ("a process ended", _excerpt(request), stack.output()[-3:])
    return statuses


def _excerpt(request: Request) -> str:
    return repr(request)[:400]
