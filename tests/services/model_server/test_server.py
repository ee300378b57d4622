"""The model server as a process: start, swap under load, drain, refuse."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import grpc
import numpy as np
import psutil
import pytest
import requests

from services.model_server.flags import parse_flags
from services.model_server.inference.background_warmup import BackgroundWarmUp
from services.model_server.inference.metrics import Metrics
from services.model_server.servables.servable import Servable, ServableId
from services.model_server.server import _warmed
from services.serving_api.protos import predict_pb2
from tests.processes import ROOT, running
from tests.services.model_server.process import Server, State, command, eventually

Publish = Callable[..., Path]
MakeRequest = Callable[..., predict_pb2.PredictRequest]


def cpu_seconds(pid: int, during: float) -> float:
    process = psutil.Process(pid)
    before = sum(process.cpu_times()[:2])
    time.sleep(during)
    return float(sum(process.cpu_times()[:2]) - before)


def test_starts_answers_and_drains(
    server: Server, publish: Publish, make_request: MakeRequest
) -> None:
    assert not server.is_serving()
    assert requests.get(server.url, timeout=10).status_code == 404
    publish(1)
    assert eventually(server.is_serving)
    assert server.states() == {1: State.AVAILABLE}
    for _ in range(4):
        assert server.predict(make_request(x=np.ones(1, np.float32)), timeout=10)
    # A server at rest takes 0.01 s of processor time a second, and 0.15 s where threads poll.
    assert eventually(lambda: cpu_seconds(server.process.pid, during=1) < 0.05)

    slow = make_request("count", steps=np.array([200_000], np.int64))
    body = '{"signature_name": "count", "instances": [200000]}'
    with ThreadPoolExecutor(2) as pool:
        by_grpc = pool.submit(server.predict, slow, timeout=60)
        by_rest = pool.submit(requests.post, f"{server.url}:predict", body, timeout=60)
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        assert not by_grpc.done()
        assert not by_rest.done()
        assert list(by_grpc.result().outputs["steps"].int64_val) == [200_000]
        assert by_rest.result().json() == {"predictions": [200_000]}
    assert server.process.wait(30) == 0
    events = ["ports open", "available", "draining", "unloaded", "stopped"]
    assert [event for event in server.events() if not event.startswith("no version")] == events


class Clients:
    """Eight clients that send requests in a loop until they cannot connect any more."""

    def __init__(self, ask: Callable[[], Iterator[object]]) -> None:
        self.answers: list[object] = []
        self.losses: list[Exception] = []
        self._ask = ask
        self._threads = [threading.Thread(target=self._run) for _ in range(8)]

    def run_until_stopped(self, server: Server) -> None:
        for thread in self._threads:
            thread.start()
        assert eventually(lambda: len(self.answers) > 100)
        server.process.send_signal(signal.SIGTERM)
        for thread in self._threads:
            thread.join()
        assert server.process.wait(30) == 0

    def _run(self) -> None:
        try:
            self.answers.extend(self._ask())
        except Exception as error:
            self.losses.append(error)


@pytest.mark.parametrize("keeps_alive", [True, False])
def test_sigterm_loses_no_request_over_http(
    server: Server, publish: Publish, keeps_alive: bool
) -> None:
    publish(1)
    assert eventually(server.is_serving)
    url = urlsplit(server.url)

    def ask() -> Iterator[int]:
        connection = HTTPConnection(url.netloc, timeout=20)
        while True:
            if connection.sock is None:
                try:
                    connection.connect()
                except ConnectionRefusedError:
                    return
            connection.request("POST", f"{url.path}:predict", '{"instances": [1]}')
            response = connection.getresponse()
            response.read()
            yield response.status
            if not keeps_alive:
                connection.close()

    clients = Clients(ask)
    clients.run_until_stopped(server)
    assert clients.losses == []
    assert set(clients.answers) == {200}


def test_sigterm_loses_no_request_over_grpc(
    server: Server, publish: Publish, make_request: MakeRequest
) -> None:
    publish(1)
    assert eventually(server.is_serving)
    request = make_request(x=np.ones(1, np.float32))
    refusals: list[str] = []

    def ask() -> Iterator[float]:
        while True:
            try:
                response = server.predict(request, timeout=20)
            except grpc.RpcError as error:
                if error.code() == grpc.StatusCode.UNAVAILABLE:
                    refusals.append(error.details())
                    return
                raise
            yield response.outputs["y"].float_val[0]

    clients = Clients(ask)
    clients.run_until_stopped(server)
    assert clients.losses == []
    assert set(clients.answers) == {2.5}
    assert set(refusals) == {"the server is stopping"}


def test_swaps_under_load(server: Server, publish: Publish, make_request: MakeRequest) -> None:
    publish(1, 0.5)
    assert eventually(server.is_serving)
    seen: list[tuple[int, float]] = []
    failures: list[grpc.RpcError] = []
    stopping = threading.Event()

    def load() -> None:
        request = make_request(x=np.ones(1, np.float32))
        while not stopping.is_set():
            try:
                response = server.predict(request, timeout=10)
            except grpc.RpcError as error:
                failures.append(error)
            else:
                answer = (response.model_spec.version.value, response.outputs["y"].float_val[0])
                seen.append(answer)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        publish(2, 3.0)
        assert eventually(lambda: server.states() == {2: State.AVAILABLE, 1: State.END})
        publish(3, corrupt=True)
        assert eventually(lambda: server.states().get(3) == State.END)
        assert "Could not load" in server.statuses()[3].status.error_message
        assert server.states()[2] == State.AVAILABLE
        assert server.is_serving()
        publish(4, 0.5)
        assert eventually(lambda: server.states().get(4) == State.AVAILABLE)
        answers = len(seen)
        assert eventually(lambda: len(seen) > answers + 10)
    finally:
        stopping.set()
        thread.join()
    assert failures == []
    assert set(seen) == {(1, 2.5), (2, 5.0), (4, 2.5)}
    assert seen == sorted(seen)


def refused(*flags: str) -> tuple[int, str]:
    done = subprocess.run(command(*flags), capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("taken", [0, 1])
def test_a_taken_port_is_one_line(ports: tuple[int, int], tmp_path: Path, taken: int) -> None:
    with socket.create_server(("", ports[taken])):
        code, message = refused(
            f"--port={ports[0]}", f"--rest_api_port={ports[1]}", f"--model_base_path={tmp_path}"
        )
    assert code == 1
    assert f"cannot listen on port {ports[taken]}" in message
    assert message.count("\n") == 1


def test_a_bad_config_file_is_one_line(tmp_path: Path) -> None:
    config = tmp_path / "models.config"
    config.write_text("model_config_list {\n  config { nome: 'cnn' }\n}")
    code, message = refused(f"--model_config_file={config}")
    assert code == 1
    assert message.startswith("Error parsing text-format tensorflow.serving.ModelServerConfig: ")
    assert f"{config}, line 2" in message
    assert message.count("\n") == 1


def test_a_model_to_load_that_is_not_configured_is_named() -> None:
    flags = "--model_base_path=/m", "--model_control_mode=explicit", "--load_model=other"
    code, message = refused(*flags)
    assert code == 1
    assert message == "--load_model names ['other'], expected some of ['default']\n"


def test_an_unknown_flag_is_named() -> None:
    code, message = refused("--no_such_flag=1", "--model_base_path=/m")
    assert code == 2
    assert "unrecognized arguments: --no_such_flag=1" in message


def test_an_open_port_means_an_answer(
    base_path: Path,
    ports: tuple[int, int],
    tmp_path: Path,
    publish: Publish,
    make_request: MakeRequest,
) -> None:
    """TensorFlow Serving's clients call as soon as they can connect, and expect an answer."""
    publish(1)
    server = Server(base_path, ports, tmp_path / "log")
    try:
        request = make_request(x=np.ones(1, np.float32))
        response = server.predict(request, timeout=60, wait_for_ready=True)
        assert list(response.outputs["y"].float_val) == [2.5]
        assert response.model_spec.version.value == 1
    finally:
        server.channel.close()
        server.process.kill()
        server.process.wait()


def test_ctrl_c_while_models_load_ends_cleanly(ports: tuple[int, int]) -> None:
    flags = (f"--port={ports[0]}", f"--rest_api_port={ports[1]}")
    server = command(*flags, f"--model_config_file={ROOT / 'models' / 'models.config'}")
    with running(*server) as process:
        process.wait_for_line("ports open")
        assert process.stop(signal.SIGINT) == 0
        assert "load failed" not in process.output
        assert "stopped" in process.lines[-1]


def test_warm_up_can_be_switched_off() -> None:
    def load(_: ServableId, path: Path) -> Servable:
        raise AssertionError(path)

    flags = ["--model_base_path=/m", "--enable_model_warmup=false"]
    assert _warmed(load, parse_flags(flags), Metrics(), BackgroundWarmUp()) is load
    assert _warmed(load, parse_flags(flags[:1]), Metrics(), BackgroundWarmUp()) is not load
