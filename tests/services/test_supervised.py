from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from services.console import Console
from services.supervised import MAX_DEATHS, SupervisedProcess
from tests.processes import wait_until

TIMEOUT = 30
SLEEP = "import time; print('hello', flush=True); time.sleep(100)"
KILL_ITSELF = "import os, signal; os.kill(os.getpid(), signal.SIGABRT)"

Start = Callable[..., SupervisedProcess]


@pytest.fixture
def start() -> Iterator[Start]:
    started = []

    def make(program: str, console: Console | None = None, **environment: str) -> SupervisedProcess:
        command = [sys.executable, "-c", program]
        started.append(SupervisedProcess("server", command, console or Console(), environment))
        return started[-1]

    yield make
    for process in started:
        process.stop(0)


def wait_for_end(process: SupervisedProcess) -> None:
    wait_until(lambda: process.ending is not None, TIMEOUT, "it ends")


def test_its_lines_carry_its_name(start, capsys):
    process = start("import os; print('hello'); print(os.environ['GREETING'])", GREETING="you")
    wait_for_end(process)
    process.stop(TIMEOUT)
    assert capsys.readouterr().out == "server       | hello\nserver       | you\n"


def test_lines_that_mean_nothing_are_left_out(start, capsys):
    noise = (
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
        "I0000 00:00:1796082309.348567   15177 devices.cc:76] Number of eligible GPUs: 0",
        "E0000 00:00:1796082317.523411   15255 meta_optimizer.cc:967] remapper failed",
        "2026-11-30 23:45:38.727205: E tensorflow/core/util/util.cc:131] oneDNN supports DT_HALF",
    )
    real = "F0000 00:00:1796082317.523411   15255 tensor.cc:12] Check failed"
    process = start(f"print({chr(10).join([*noise, real])!r})")
    wait_for_end(process)
    process.stop(TIMEOUT)
    assert capsys.readouterr().out == f"server       | {real}\n"


def test_one_that_dies_shows_the_end_of_its_log(start, capsys, tmp_path):
    with Console(tmp_path / "lectern.log") as console:
        process = start("for i in range(100): print('line', i)\nraise SystemExit(1)", console)
        wait_for_end(process)
        assert not process.restart_if_killed()
        process.stop(TIMEOUT)
    assert capsys.readouterr().out.splitlines() == [
        *(f"server       | line {i}" for i in range(80, 100)),
        "server       | ended with exit status 1",
    ]
    assert len((tmp_path / "lectern.log").read_text().splitlines()) == 100


def test_a_process_that_runs_is_left_alone(start):
    process = start(SLEEP)
    assert process.restart_if_killed()
    assert process.ending is None


def test_a_killed_process_is_started_again(start, capsys):
    process = start(SLEEP)
    process.kill()
    wait_for_end(process)
    assert process.ending == "was killed by SIGKILL"
    assert process.restart_if_killed()
    assert process.ending is None
    assert "was killed by SIGKILL: starting it again" in capsys.readouterr().out


def test_one_that_exits_by_itself_is_not(start, capsys):
    process = start("raise SystemExit('the port is taken')")
    wait_for_end(process)
    assert not process.restart_if_killed()
    process.stop(TIMEOUT)
    assert "the port is taken" in capsys.readouterr().out
    assert process.ending == "ended with exit status 1"


def test_one_that_dies_again_and_again_is_given_up(start, capsys):
    process = start(KILL_ITSELF)
    for _ in range(MAX_DEATHS - 1):
        wait_for_end(process)
        assert process.restart_if_killed()
    wait_for_end(process)
    assert not process.restart_if_killed()
    assert "was killed by SIGABRT, 5 times within a minute: giving up" in capsys.readouterr().out


def test_one_that_dies_now_and_then_goes_on(start, monkeypatch):
    process = start(KILL_ITSELF)
    clock = iter(range(0, 10_000, 30))
    # The module's own clock: event loops of other threads go by that of the process.
    monkeypatch.setattr("services.supervised.monotonic", lambda: next(clock))
    for _ in range(2 * MAX_DEATHS):
        process._process.wait(TIMEOUT)
        assert process.restart_if_killed()


def test_stopping_is_gentle_at_first(start, capsys):
    handler = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit('bye'));"
    process = start(handler + SLEEP)
    wait_until(lambda: "hello" in capsys.readouterr().out, TIMEOUT, "it has started")
    process.stop(TIMEOUT)
    assert "bye" in capsys.readouterr().out
    assert process.ending == "ended with exit status 1"


def test_one_that_does_not_stop_is_killed_with_its_children(start, capsys):
    child = "import subprocess; subprocess.Popen(['sleep', '100']);"
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    process = start(child + deaf + SLEEP)
    wait_until(lambda: "hello" in capsys.readouterr().out, TIMEOUT, "it has started")
    children = psutil.Process(process._process.pid).children()
    began = time.monotonic()
    process.stop(0.5)
    assert time.monotonic() - began < 20
    assert process.ending == f"was killed by {signal.SIGKILL.name}"
    assert "has not stopped" in capsys.readouterr().out
    psutil.wait_procs(children, TIMEOUT)
    assert not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in children)
