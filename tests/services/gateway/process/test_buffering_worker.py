from __future__ import annotations

import json
import select
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from http.client import HTTPResponse
from itertools import islice

import psutil
import pytest
import requests

from tests.processes import Running, wait_until
from tests.services.gateway.gateway_process import TIMEOUT, address, predict, started
from tests.services.gateway.images import PNG

HEAD = b"POST /v1/models/classifier:predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
REQUEST = HEAD + b"Content-Length: %d\r\n\r\n" % len(PNG) + PNG


@pytest.fixture
def slow(fake) -> Iterator[str]:
    """A gateway of two threads with twenty clients that never finish their requests."""
    with started(fake, LECTERN_THREADS="2") as gateway, ExitStack() as stack:
        url = address(gateway)
        port = int(url.rpartition(":")[2])
        for number in range(20):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall([b"", b"POST", HEAD, REQUEST[:-1], REQUEST + HEAD][number % 5])
        yield url
        assert gateway.stop() == 0
        assert "Traceback" not in gateway.output


def test_slow_clients_do_not_stop_others(slow):
    # With a thread for each of them there would be no answer at all.
    for _ in range(5):
        assert predict(slow).status_code == 200


def connect(url: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
    client.settimeout(TIMEOUT)
    return client


def test_a_request_that_comes_byte_by_byte_is_answered(fake):
    with started(fake) as gateway, connect(address(gateway)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(2):
            for start in range(0, len(REQUEST), 16):
                client.sendall(REQUEST[start : start + 16])
            assert client.recv(100).startswith(b"HTTP/1.1 200")
            while b"predictions" not in client.recv(2**16):
                pass


def test_a_client_that_stops_sending_is_disconnected(fake):
    with started(fake) as gateway, connect(address(gateway)) as client:
        client.sendall(REQUEST[:-1])
        start = time.monotonic()
        assert client.recv(100).startswith(b"HTTP/1.1 408 ")
        assert 4 < time.monotonic() - start < 15


def test_a_client_that_hangs_up_leaves_nothing_behind(fake):
    with started(fake) as gateway:
        url = address(gateway)
        for part in (b"", b"POST", REQUEST[:-1]):
            with connect(url) as client:
                client.sendall(part)
        assert predict(url).ok
        assert gateway.stop() == 0
        assert "Traceback" not in gateway.output


def test_a_large_body_and_one_with_expect_continue_are_read(fake):
    with started(fake) as gateway:
        url = f"{address(gateway)}/v1/models/half_plus_two:predict"
        body = b'{"instances": [' + b"1.0, " * 50_000 + b"1.0]}"
        answer = requests.post(url, body, timeout=TIMEOUT)
        assert len(answer.json()["predictions"]) == 50_001
        with connect(url.partition("/v1")[0]) as client:
            client.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(PNG))
            assert client.recv(100).startswith(b"HTTP/1.1 100")
            client.sendall(PNG)
            assert b"200 OK" in client.recv(2**16)


def test_requests_in_a_row_on_one_connection_are_all_answered(fake):
    with started(fake) as gateway, connect(address(gateway)) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        received = b""
        while received.count(b"alive") < 3:
            received += client.recv(2**16)


def test_excess_requests_are_refused_at_once_while_probes_are_answered(fake):
    settings = {"LECTERN_THREADS": "2", "LECTERN_MAX_WAITING_REQUESTS": "3"}
    with started(fake, **settings) as gateway, ThreadPoolExecutor(9) as pool:
        url = address(gateway)
        assert predict(url).ok
        fake.hold()
        futures = [pool.submit(predict, url) for _ in range(9)]
        refused = [future.result() for future in islice(as_completed(futures), 4)]
        assert [answer.status_code for answer in refused] == [503] * 4
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
        assert "too many requests are waiting" in refused[0].json()["detail"]
        for path in ("livez", "metrics", "v2/health/live"):
            assert requests.get(f"{url}/{path}", timeout=TIMEOUT).ok
        fake.release()
        statuses = Counter(future.result().status_code for future in futures)
        assert statuses.keys() == {200, 503}
        # One more is refused if it came before the very first was off the books.
        assert statuses[503] <= 5


def test_the_time_of_a_request_begins_when_it_comes(fake):
    settings = {"LECTERN_THREADS": "1", "LECTERN_TIMEOUT_SECONDS": "2"}
    with started(fake, **settings) as gateway, ThreadPoolExecutor(3) as pool:
        url = address(gateway)
        wait_until(lambda: predict(url).ok, TIMEOUT, "predicts")
        fake.hold()
        start = time.monotonic()
        answers = list(pool.map(predict, [url] * 3))
        fake.release()
        assert [answer.status_code for answer in answers] == [504] * 3
        # Not the time of three, one after the other.
        assert time.monotonic() - start < 5


def test_the_rest_of_a_request_behind_another_is_waited_for(fake):
    with started(fake) as gateway, connect(address(gateway)) as client:
        client.sendall(REQUEST + REQUEST[:300])
        while b"predictions" not in client.recv(2**16):
            pass
        client.sendall(REQUEST[300:])
        assert client.recv(2**16).startswith(b"HTTP/1.1 200")


def connections(gateway: Running) -> int:
    """Count the clients whose connections the worker has accepted and not closed."""
    port = int(address(gateway).rpartition(":")[2])
    return sum(
        each.laddr.port == port and each.status != psutil.CONN_LISTEN
        for worker in psutil.Process(gateway.process.pid).children()
        for each in worker.net_connections("tcp4")
    )


LIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        LIVE + b"Connection: close\r\n\r\n",
        LIVE + b"Content-Length: 100000\r\n\r\n",
        LIVE + b"Transfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["a close", "a body of a known length", "a body of an unknown length"],
)
def test_an_incomplete_request_does_not_delay_other_clients(fake, request_bytes):
    with started(fake) as gateway, ExitStack() as stack:
        url = address(gateway)
        start = time.monotonic()
        for _ in range(20):
            client = stack.enter_context(connect(url))
            client.sendall(request_bytes)
            assert client.recv(100).startswith(b"HTTP/1.1 200")
        assert requests.get(f"{url}/livez", timeout=TIMEOUT).ok
        # Two seconds for each of them, or five for each two, would be forty or more.
        assert time.monotonic() - start < 30
        wait_until(lambda: connections(gateway) == 0, TIMEOUT, "all are closed")
        assert gateway.stop() == 0
        assert "Traceback" not in gateway.output


def test_an_unread_body_does_not_close_the_connection(fake):
    with started(fake) as gateway, connect(address(gateway)) as client:
        for _ in range(3):
            client.sendall(LIVE + b"Content-Length: 5\r\n\r\nhello")
            answer = b""
            # The head and the body of an answer may arrive one by one.
            while not answer.endswith(b'alive"}\n'):
                received = client.recv(2**16)
                assert received, answer
                answer += received
            assert answer.startswith(b"HTTP/1.1 200")


def test_a_refused_client_that_goes_on_sending_reads_why(fake):
    with started(fake, LECTERN_MAX_BODY_BYTES="100000") as gateway:
        body = b"x" * 3_000_000
        answer = requests.post(f"{address(gateway)}/v1/models/m:predict", body, timeout=TIMEOUT)
        assert answer.status_code == 413


def test_a_client_that_stops_in_a_large_body_holds_no_thread(fake):
    with started(fake, LECTERN_THREADS="1") as gateway:
        url = address(gateway)
        assert predict(url).ok
        with connect(url) as client:
            client.sendall(HEAD + b"Content-Length: 100000\r\n\r\n" + bytes(50_000))
            assert predict(url).ok
            assert not select.select([client], [], [], 0)[0]
            answer = client.recv(2**16)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"too slowly" in answer
        assert "Traceback" not in gateway.output


def test_a_client_that_does_not_read_holds_no_thread_and_is_disconnected(fake):
    # The answer is larger than what the kernel takes.
    body = b'{"inputs": [' + b"1," * 1_000_000 + b"1]}"
    settings = {"LECTERN_THREADS": "1", "LECTERN_TIMEOUT_SECONDS": "60"}
    with started(fake, **settings) as gateway, socket.socket() as client:
        url = address(gateway)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", int(url.rpartition(":")[2])))
        head = b"POST /v1/models/half_plus_two:predict HTTP/1.1\r\nHost: x\r\n"
        client.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        wait_until(lambda: fake.requests, TIMEOUT, "the request is in progress")
        assert predict(url).ok
        assert "too slowly" not in gateway.output
        gateway.wait_for_line("reads its answer too slowly")
        assert "Traceback" not in gateway.output


def test_a_worker_opens_only_so_many_connections(fake):
    settings = {"LECTERN_THREADS": "2", "LECTERN_MAX_CONNECTIONS": "3"}
    with started(fake, **settings) as gateway, ExitStack() as stack:
        url = address(gateway)
        for _ in range(5):
            stack.enter_context(connect(url)).sendall(REQUEST[:-1])
        wait_until(lambda: connections(gateway) == 3, TIMEOUT, "three are open")
        assert predict(url).ok
        assert connections(gateway) <= 3


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
DRIBBLES = {
    "a method": (b"", b"P"),
    "a request line": (b"POST /", b"x"),
    "a header": (HEAD + b"A: ", b"b"),
    "headers": (HEAD, b"A: b\r\n"),
    "a body": (HEAD + b"Content-Length: 500\r\n\r\n", b"x"),
    "a large body": (HEAD + b"Content-Length: 500000\r\n\r\n", b"x"),
    "a body after 100 Continue": (
        HEAD + b"Expect: 100-continue\r\nContent-Length: 500\r\n\r\n",
        b"x",
    ),
    "chunks": (CHUNKED, b"1\r\nx\r\n"),
    "a chunk": (CHUNKED + b"fff\r\n", b"x"),
    "a chunk extension": (CHUNKED + b"1;", b"x"),
    "trailers": (CHUNKED + b"1\r\nx\r\n0\r\n", b"A: b\r\n"),
}
CLIENTS_PER_DRIBBLE = 4


def dribble(client: socket.socket, start: bytes, more: bytes) -> bytes:
    """Send a little every half second until the server answers; return the answer."""
    client.sendall(start)
    client.settimeout(0.5)
    answer = b""
    while True:
        try:
            received = client.recv(2**16)
        except TimeoutError:
            client.sendall(more)
        except ConnectionResetError:
            return answer
        else:
            answer += received
            if not received:
                return answer


def test_slowly_sending_clients_are_disconnected_and_do_not_stop_others(fake):
    count = CLIENTS_PER_DRIBBLE * len(DRIBBLES)
    with (
        started(fake, LECTERN_THREADS="4") as gateway,
        ExitStack() as stack,
        ThreadPoolExecutor(count) as pool,
    ):
        url = address(gateway)
        assert predict(url).ok
        clients = [stack.enter_context(connect(url)) for _ in range(count)]
        start = time.monotonic()
        answers = list(
            map(
                pool.submit,
                [dribble] * count,
                clients,
                *zip(*[*DRIBBLES.values()] * 4, strict=True),
            )
        )
        while not all(answer.done() for answer in answers):
            asked = time.monotonic()
            assert predict(url).ok
            assert time.monotonic() - asked < 2
            assert time.monotonic() - start < 30
            time.sleep(0.1)
        for answer in answers:
            assert b"HTTP/1.1 408 " in answer.result()
        assert "Traceback" not in gateway.output


def test_large_requests_that_are_too_many_are_refused_and_others_are_answered(fake):
    with started(fake, LECTERN_MAX_BODY_BYTES="100000") as gateway, ExitStack() as stack:
        url = address(gateway)
        clients = [stack.enter_context(connect(url)) for _ in range(12)]
        for client in clients:
            client.sendall(HEAD + b"Content-Length: 100000\r\n\r\n" + bytes(90_000))
        assert predict(url).ok
        answers = Counter(client.recv(2**16).partition(b"\r\n")[0] for client in clients)
        assert answers[b"HTTP/1.1 503 Service Unavailable"] == 3
        assert answers[b"HTTP/1.1 408 Request Timeout"] == 9
        assert (
            requests.post(f"{url}/v1/models/x:predict", bytes(90_000), timeout=TIMEOUT).ok is False
        )
        assert predict(url).ok


def read_answer(client: socket.socket) -> tuple[HTTPResponse, dict[str, object]]:
    with HTTPResponse(client) as answer:
        answer.begin()
        return answer, json.loads(answer.read())


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (CHUNKED + b"-1\r\n", 400),
        (CHUNKED + b"1" * 20 + b"\r\n", 400),
        (CHUNKED + b"1;" + b"x" * 100_000 + b"\r\nx\r\n0\r\n\r\n", 400),
        (CHUNKED + b"1\nx\n0\n\n", 400),
        (HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (HEAD + b"A: " + b"b" * 100_000 + b"\r\n\r\n", 431),
        (HEAD + b"Content-Length: 99999999999999999999\r\n\r\n", 413),
        (REQUEST[:-1], 400),
    ],
    ids=["negative", "long", "extension", "line feeds", "both", "head", "huge", "broken off"],
)
def test_a_malformed_request_is_a_problem_document(fake, sent, status):
    with started(fake) as gateway, connect(address(gateway)) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        answer, document = read_answer(client)
        assert answer.status == status
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Connection"] == "close"
        assert document["status"] == status
        assert document["error"] == document["detail"]
        assert "Traceback" not in gateway.output
        metrics = requests.get(f"{address(gateway)}/metrics", timeout=TIMEOUT).text
        assert f'route="<refused>",status="{status}"' in metrics


def test_chunked_and_http_1_0_requests_are_answered(fake):
    with started(fake) as gateway, requests.Session() as session:
        url = address(gateway)
        for _ in range(2):
            answer = session.post(
                f"{url}/v1/models/classifier:predict", iter([PNG[:50], PNG[50:]]), timeout=TIMEOUT
            )
            assert answer.status_code == 200
        with connect(url) as client:
            client.sendall(REQUEST.replace(b"HTTP/1.1", b"HTTP/1.0"))
            received = b""
            while part := client.recv(2**16):
                received += part
            assert received.startswith(b"HTTP/1.0 200")
            assert b"predictions" in received
