"""The suite in containers; the tests run in this order, on one stack."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
import requests
from PIL import Image

from services.serving_api.protos import predict_pb2, prediction_service_pb2_grpc
from services.serving_api.tensors import to_ndarray, to_tensor_proto
from tests.compose.stack import PROJECT, ROOT, SERVICES, Stack
from tests.processes import wait_until

pytestmark = pytest.mark.compose

SAMPLES = ROOT / "services/gateway/static/samples"
BOOT = (SAMPLES / "ankle_boot.png").read_bytes()
PNG = {"Content-Type": "image/png"}
RECOVERY_SECONDS = 30


def predict(url: str) -> requests.Response:
    return requests.post(f"{url}/v1/models/cnn:predict", BOOT, headers=PNG, timeout=15)


def test_every_task_works_through_the_published_port(stack: Stack) -> None:
    models = f"{stack.url('gateway', 8080)}/v1/models"

    prediction = requests.post(f"{models}/cnn:predict", BOOT, headers=PNG, timeout=15).json()
    assert prediction["predictions"][0]["label"] == "Ankle boot"
    pictures = {
        "cnn:saliency?method=gradcam": BOOT,
        "cnn:activations": BOOT,
        "cnn:visualize": b"",
        "vae:generate?count=4&seed=1": b"",
    }
    for call, body in pictures.items():
        answer = requests.post(
            f"{models}/{call}", body, headers={**PNG, "Accept": "image/png"}, timeout=30
        )
        assert answer.status_code == 200, answer.text
        assert Image.open(io.BytesIO(answer.content)).width > 28
    code = requests.post(f"{models}/codec:compress", BOOT, headers=PNG, timeout=15)
    assert len(code.content) < 200
    restored = requests.post(
        f"{models}/codec:decompress",
        code.content,
        headers={"Content-Type": code.headers["Content-Type"], "Accept": "image/png"},
        timeout=15,
    )
    original, decoded = (
        np.asarray(Image.open(io.BytesIO(file)).convert("L"), float)
        for file in (BOOT, restored.content)
    )
    assert np.mean((original - decoded) ** 2) < 0.02 * 255**2


def test_a_grpc_client_predicts_through_the_published_port(stack: Stack) -> None:
    image = np.asarray(Image.open(io.BytesIO(BOOT)), np.float32).reshape(1, 28, 28, 1)
    request = predict_pb2.PredictRequest(inputs={"images": to_tensor_proto(image)})
    request.model_spec.name = "cnn"
    with grpc.insecure_channel(stack.address("model-server", 8500)) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        response = stub.Predict(request, timeout=10)
    assert to_ndarray(response.outputs["label"]).tolist() == [b"Ankle boot"]


def test_containers_run_without_root_and_cannot_write(stack: Stack) -> None:
    for container in stack.containers():
        assert int(container["Config"]["User"].split(":")[0]) > 0
        assert container["HostConfig"]["ReadonlyRootfs"]
        assert container["HostConfig"]["CapDrop"] == ["ALL"]
        for bindings in container["HostConfig"]["PortBindings"].values():
            assert {binding["HostIp"] for binding in bindings} == {"127.0.0.1"}
    for service in SERVICES:
        tried = "touch /etc/tried 2>/dev/null && echo written; id -u"
        assert int(stack.compose("exec", "-T", service, "sh", "-c", tried)) > 0


def test_every_line_of_the_gateways_log_is_json(stack: Stack) -> None:
    entries = [json.loads(line) for line in stack.log_lines("gateway")]
    assert any(entry.get("path", "").endswith(":predict") for entry in entries)


def test_prometheus_scrapes_every_target_and_the_dashboard_has_data(stack: Stack) -> None:
    url = f"{stack.url('prometheus', 9090)}/api/v1"

    def scraped() -> bool:
        targets = requests.get(f"{url}/targets", timeout=5).json()["data"]["activeTargets"]
        jobs = {target["labels"]["job"] for target in targets if target["health"] == "up"}
        return jobs == {"gateway", "model-server", "prometheus"}

    wait_until(scraped, 60, "the scrape of every target")
    dashboard = json.loads(
        (ROOT / "services/monitoring/grafana/dashboards/lectern.json").read_text()
    )
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(queries) > 5

    def answered(query: str) -> bool:
        predict(stack.url("gateway", 8080))
        query = query.replace("$__rate_interval", "1m")
        result = requests.get(f"{url}/query", {"query": query}, timeout=5).json()
        assert result["status"] == "success", (query, result)
        return bool(result["data"]["result"])

    for query in queries:
        if 'status=~"4..' in query or 'status=~"5..' in query:
            continue  # Nothing has failed yet.
        wait_until(lambda query=query: answered(query), 60, f"an answer to {query}")


def test_a_new_version_is_served_without_a_restart(stack: Stack) -> None:
    url = stack.url("gateway", 8080)
    newest = max(int(path.name) for path in (stack.models / "cnn").iterdir() if path.is_dir())
    draft = stack.models / "draft"
    shutil.copytree(stack.models / "cnn" / str(newest), draft)
    draft.rename(stack.models / "cnn" / str(newest + 1))

    def served() -> bool:
        return predict(url).json()["model"]["version"] == str(newest + 1)

    wait_until(served, 60, "the swap")


def test_a_killed_model_server_is_answered_with_503_and_recovers(stack: Stack) -> None:
    url, statuses, stop = stack.url("gateway", 8080), [], threading.Event()

    def load() -> None:
        while not stop.is_set():
            statuses.append(predict(url).status_code)

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(load) for _ in range(4)]
        try:
            stack.compose("kill", "model-server")
            wait_until(lambda: 503 in statuses, RECOVERY_SECONDS, "a 503")
            # The gateway is not ready meanwhile, so this waits only for the model server.
            stack.compose("up", "--detach", "--wait", "model-server")
            wait_until(lambda: predict(url).ok, RECOVERY_SECONDS, "an answer after the restart")
        finally:
            stop.set()
    for future in futures:
        future.result()  # Raises if a request was not answered.
    assert set(statuses) <= {200, 503, 504}


def test_replicas_share_the_load(stack: Stack) -> None:
    stack.up("--scale", "gateway=3", "--scale", "model-server=2")
    gateways = [stack.url("gateway", 8080, index) for index in (1, 2, 3)]
    servers = [stack.url("model-server", 8501, index) for index in (1, 2)]

    def handled(server: str) -> float:
        page = requests.get(f"{server}/monitoring/prometheus/metrics", timeout=5).text
        counts = re.findall(
            r'^:tensorflow:serving:request_count\{.*"cnn".* ([\d.e+]+)$', page, re.M
        )
        return sum(map(float, counts))

    before = [handled(server) for server in servers]

    def all_replicas_answer() -> bool:
        assert all(predict(gateway).ok for gateway in gateways)
        return all(handled(server) > count for server, count in zip(servers, before, strict=True))

    wait_until(all_replicas_answer, 60, "traffic at both model servers")


def test_down_removes_everything(stack: Stack) -> None:
    stack.compose("down", "--volumes", "--timeout", "30")
    for kind in ("container", "network", "volume"):
        command = [
            "docker",
            kind,
            "ls",
            "--quiet",
            "--filter",
            f"label=com.docker.compose.project={PROJECT}",
        ]
        if kind == "container":
            command.append("--all")
        assert subprocess.run(command, capture_output=True, check=True).stdout == b""
