from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.cluster.load import ask
from tests.processes import ROOT, SAMPLES, free_port, running

STATUSES = [200, 503]


class Alternating(BaseHTTPRequestHandler):
    """Answers with alternating statuses."""

    count = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(STATUSES[Alternating.count % 2])
        self.send_header("Content-Length", "0")
        self.end_headers()
        Alternating.count += 1

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Alternating) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_every_status_is_counted(url: str) -> None:
    script = (ROOT / "tests/cluster/load.py").read_text()
    with running("python3", "-c", script, url, str(SAMPLES / "bag.png")) as load:
        counts = json.loads(load.wait_for_line("503"))
    assert counts.keys() == {"200", "503"}
    assert abs(counts["200"] - counts["503"]) <= 1


def test_a_request_without_an_answer_is_its_error() -> None:
    assert "refused" in ask(f"http://127.0.0.1:{free_port()}/", b"")
