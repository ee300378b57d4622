"""The gateway process: memory, start-up time, and loss of the model server."""

from __future__ import annotations

import psutil
import requests

from tests.processes import ROOT, SAMPLES, free_port, module, running, wait_until

MEGABYTE = 2**20
SAMPLE = (SAMPLES / "bag.png").read_bytes()
IMAGE = {"Content-Type": "image/png"}


def status(url: str) -> int:
    try:
        return requests.get(url, timeout=10).status_code
    except requests.ConnectionError:
        return 0


def test_the_gateway_is_light_and_has_no_tensorflow_loaded(suite):
    for _ in range(50):
        url = f"{suite.gateway}/v1/models/cnn:predict"
        assert requests.post(url, SAMPLE, headers=IMAGE, timeout=30).status_code == 200
    processes = suite.processes("gateway")
    assert len(processes) >= 2
    for process in processes:
        libraries = {mapping.path for mapping in process.memory_maps()}
        assert not [path for path in libraries if "/tensorflow/" in path or "/keras/" in path]
        assert process.memory_info().rss < 120 * MEGABYTE
    (model_server,) = suite.processes("model_server")
    # The same check finds TensorFlow in the model server.
    assert [m.path for m in model_server.memory_maps() if "/tensorflow/" in m.path]


def test_the_gateway_starts_in_two_seconds_of_processor_time():
    port = free_port()
    with running(*module("services.gateway"), environment={"LECTERN_PORT": str(port)}) as gateway:
        wait_until(lambda: status(f"http://127.0.0.1:{port}/livez") == 200, 60, "livez")
        parent = psutil.Process(gateway.process.pid)
        times = [each.cpu_times() for each in (parent, *parent.children())]
    assert sum(each.user + each.system for each in times) < 2


def test_the_gateway_survives_the_loss_of_its_model_server():
    port, grpc_port = free_port(), free_port()
    gateway = f"http://127.0.0.1:{port}"
    environment = {
        "LECTERN_PORT": str(port),
        "LECTERN_MODEL_SERVER": f"127.0.0.1:{grpc_port}",
        "LECTERN_MODELS": "cnn",
    }
    model_server = module(
        "services.model_server",
        f"--port={grpc_port}",
        "--model_name=cnn",
        f"--model_base_path={ROOT / 'models/cnn'}",
    )

    def predict() -> requests.Response:
        url = f"{gateway}/v1/models/cnn:predict"
        return requests.post(url, SAMPLE, headers=IMAGE, timeout=30)

    with running(*module("services.gateway"), environment=environment) as process:
        with running(*model_server) as served:
            wait_until(lambda: status(f"{gateway}/readyz") == 200, 300, "ready")
            served.process.kill()
            served.wait()

            answer = predict()
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.headers["Content-Type"] == "application/problem+json"
            wait_until(lambda: status(f"{gateway}/readyz") == 503, 10, "not ready")
            assert status(f"{gateway}/livez") == 200
        with running(*model_server):
            # Workers cache readiness for half a second, so this waits for an answer.
            wait_until(lambda: predict().ok, 120, "predicts again")
            assert predict().json()["predictions"][0]["label"] == "Bag"
            wait_until(lambda: status(f"{gateway}/readyz") == 200, 5, "ready again")
        assert process.process.poll() is None
