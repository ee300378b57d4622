from __future__ import annotations

import signal
import subprocess
import sys

PROGRAM = """
import signal, threading
from services.host.signals import AwaitedSignals

signals = AwaitedSignals(signal.SIGTERM)
# Only this thread takes the signal, as any thread may: pthread_sigmask blocks it in the main one.
threading.Thread(target=threading.Event().wait, daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
print("waiting", flush=True)
signals.wait()
print("ended", flush=True)
"""


def test_a_signal_that_another_thread_takes_ends_the_wait():
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    assert (output, process.returncode) == ("ended\n", 0)
