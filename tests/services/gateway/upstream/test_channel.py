from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain
from pathlib import Path

import grpc
import numpy as np
import pytest
import trustme

from services.gateway.request.context import RequestContext
from services.gateway.request.errors import ModelServerProblem, Problem
from services.gateway.settings import Settings, SetupError
from services.gateway.upstream import channel
from services.gateway.upstream.channel import read_credentials
from services.gateway.upstream.model_server import ModelRef, ModelServer, Prediction
from tests.fakes import HALF_PLUS_TWO, FakeModelServer, FakeVersion
from tests.processes import wait_until

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
HALF = ModelRef("half_plus_two")


def predict(server: ModelServer, timeout: float = 10) -> Prediction:
    return server.predict(
        HALF, "serving_default", {"x": np.array([4], np.float32)}, RequestContext.lasting(timeout)
    )


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code != grpc.StatusCode.OK])
def test_a_call_that_was_sent_is_not_sent_again(model_server, fake, code):
    fake.failures = [code]
    with pytest.raises(Problem):
        predict(model_server)
    assert len(fake.requests) == 1


def test_the_status_is_told_as_it_is_now(model_server, fake):
    fake.stop()
    start = time.monotonic()
    with pytest.raises(ModelServerProblem):
        model_server.status(HALF, RequestContext.lasting(10))
    assert time.monotonic() - start < 2


def test_calls_are_distributed_over_all_available_addresses():
    fakes = [
        FakeModelServer({"half_plus_two": {1: FakeVersion(HALF_PLUS_TWO)}}).start()
        for _ in range(2)
    ]
    server = ModelServer("ipv4:" + ",".join(fake.address for fake in fakes))

    def both_are_asked() -> bool:
        predict(server)
        return all(fake.requests for fake in fakes)

    wait_until(both_are_asked, 10, "both are asked")
    counts = [len(fake.requests) for fake in fakes]
    for _ in range(20):
        predict(server)
    assert [len(fake.requests) - count for fake, count in zip(fakes, counts, strict=True)] == [
        10,
        10,
    ]
    fakes[0].stop()
    for _ in range(20):
        predict(server)
    server.close()
    fakes[1].stop()


class Network:
    """A proxy to a server whose connections can fall silent, as when a node is lost."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._silent: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                pair = (
                    self._listener.accept()[0],
                    socket.create_connection(("127.0.0.1", self._port)),
                )
                self._pairs.append(pair)
                for one, other in (pair, pair[::-1]):
                    thread = threading.Thread(target=self._pass_on, args=(one, other))
                    self._threads.append(thread)
                    thread.start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while received := one.recv(2**16):
                if one not in self._silent:
                    other.sendall(received)

    def fall_silent(self) -> None:
        """Let nothing more through on the connections that there are."""
        self._silent.update(chain(*self._pairs))

    def close(self) -> None:
        for each in (self._listener, *chain(*self._pairs)):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def network(fake) -> Iterator[Network]:
    way = Network(fake.port)
    yield way
    way.close()


def test_a_call_whose_connection_breaks_is_not_sent_to_another_server():
    """It may be what ended the first one."""
    fakes = [
        FakeModelServer({"half_plus_two": {1: FakeVersion(HALF_PLUS_TWO)}}).start()
        for _ in range(2)
    ]
    ways = [Network(fake.port) for fake in fakes]
    server = ModelServer("ipv4:" + ",".join(way.address for way in ways))
    for fake in fakes:
        fake.hold()
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(predict, server)
        wait_until(lambda: any(fake.requests for fake in fakes), 10, "one is asked")
        next(way for way, fake in zip(ways, fakes, strict=True) if fake.requests).close()
        with pytest.raises(ModelServerProblem) as caught:
            call.result(10)
    assert caught.value.grpc_code == UNAVAILABLE
    assert sum(len(fake.requests) for fake in fakes) == 1
    server.close()
    for way, fake in zip(ways, fakes, strict=True):
        way.close()
        fake.stop()


def test_a_lost_node_is_noticed_while_a_call_runs(network, monkeypatch):
    options = dict(channel._CHANNEL_OPTIONS)
    sooner = {"grpc.keepalive_time_ms": 500, "grpc.http2.ping_timeout_ms": 500}
    assert sooner.keys() <= options.keys()
    monkeypatch.setattr(channel, "_CHANNEL_OPTIONS", [*(options | sooner).items()])
    server = ModelServer(network.address)
    assert predict(server).outputs["y"] == [4]
    network.fall_silent()
    start = time.monotonic()
    with pytest.raises(ModelServerProblem) as caught:
        predict(server, timeout=30)
    assert caught.value.grpc_code == UNAVAILABLE
    assert time.monotonic() - start < 15
    # Over a new connection, once the silent one is closed.
    wait_until(lambda: answers(server), 10, "an answer")
    server.close()


def test_unacknowledged_bytes_end_a_connection_soon(model_server, fake):
    predict(model_server)
    timeouts = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError), socket.socket(fileno=os.dup(int(name))) as each:
            if each.family != socket.AF_UNIX and each.getpeername()[1] == fake.port:
                timeouts.append(each.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
    assert timeouts == [5_000]


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure_fake(authority) -> Iterator[FakeModelServer]:
    """A server that shows a certificate and asks for one."""
    certificate = authority.issue_cert("127.0.0.1")
    pair = (
        certificate.private_key_pem.bytes(),
        b"".join(blob.bytes() for blob in certificate.cert_chain_pems),
    )
    credentials = grpc.ssl_server_credentials([pair], authority.cert_pem.bytes(), True)
    models = {"half_plus_two": {1: FakeVersion(HALF_PLUS_TWO)}}
    server = FakeModelServer(models, credentials=credentials).start()
    yield server
    server.stop()


def write(authority: trustme.CA, folder: Path) -> dict[str, Path]:
    """Write what a client needs; return it by the names of the settings."""
    certificate = authority.issue_cert("gateway.test")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    return {
        "model_server_ca": folder / "ca.pem",
        "model_server_key": folder / "key.pem",
        "model_server_certificate": folder / "certificate.pem",
    }


def answers(server: ModelServer) -> bool:
    try:
        return bool(predict(server).outputs)
    except ModelServerProblem:
        return False


def trusts(fake: FakeModelServer, settings: Settings) -> bool:
    server = ModelServer(fake.address, read_credentials(settings))
    try:
        return answers(server)
    finally:
        server.close()


def test_both_sides_show_a_certificate(secure_fake, authority, tmp_path):
    files = write(authority, tmp_path)
    assert trusts(secure_fake, Settings(**files))
    assert not trusts(secure_fake, Settings(model_server_ca=files["model_server_ca"]))
    assert not trusts(secure_fake, Settings())


def test_a_stranger_is_not_trusted(secure_fake, tmp_path):
    assert not trusts(secure_fake, Settings(**write(trustme.CA(), tmp_path)))


@pytest.mark.parametrize("names", [["key"], ["certificate"], ["certificate", "key"], ["ca", "key"]])
def test_incomplete_tls_files_are_explained(names, tmp_path):
    files = {f"model_server_{name}": tmp_path / name for name in names}
    with pytest.raises(SetupError, match="together"):
        read_credentials(Settings(**files))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SetupError, match=r"ca\.pem cannot be read"):
        read_credentials(Settings(model_server_ca=tmp_path / "ca.pem"))
