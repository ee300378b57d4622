"""The load generators against a server that answers correctly, or not."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.load import HttpRequest, LoadError

pytestmark = pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        received = self.rfile.read(int(self.headers["Content-Length"]))
        content = b'{"predictions":[{"label":  "T-shirt/top"}]}' if received == b"a" else b"{}"
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_correct_answers_are_counted(url) -> None:
    load = HttpRequest(url, b"a", "text/plain", "T-shirt/top").send(connections=2, seconds=1)
    assert load.requests > 0
    assert load.requests_per_second == pytest.approx(load.requests, rel=0.5)
    assert 0 < load.p50_ms <= load.p99_ms


@pytest.mark.parametrize(("path", "body"), [("/", b"b"), ("/missing", b"a")])
def test_a_wrong_answer_is_an_error(url, path, body) -> None:
    with pytest.raises(LoadError, match="of them bad"):
        HttpRequest(url + path, body, "text/plain", "T-shirt/top").send(connections=1, seconds=1)
