"""The fake model server as a process, to be killed and stopped: `-m tests.fake_process PORT`."""

from __future__ import annotations

import sys
import threading

from tests.fakes import CLASSIFIER, FakeModelServer, FakeVersion

if __name__ == "__main__":
    models = {"classifier": {1: FakeVersion(CLASSIFIER)}}
    FakeModelServer(models, port=int(sys.argv[1])).start()
    sys.stdout.write("serving\n")
    sys.stdout.flush()
    threading.Event().wait()
