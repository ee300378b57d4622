"""The Open Inference Protocol on a model with class labels and a default value.

The rest is in tests/contract/test_grpc_v2.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import tensorflow as tf
from tritonclient import grpc as triton

from services.model_server.config.model_config import single_model
from services.model_server.grpc_api.options import GrpcOptions
from services.model_server.grpc_api.server import GrpcServer
from services.model_server.inference.data_plane import DataPlane
from services.model_server.inference.metrics import Metrics
from services.model_server.loading.loader import load
from services.model_server.models.manager import ModelManager
from services.model_server.models.server_core import ServerCore
from tests.processes import free_port
from tests.transport import TRANSPORT

FACTOR = tf.constant(2.0)


class Classifier(tf.Module):
    """Multiplies scores; three classes have names."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.float32, name="scores"),
            tf.TensorSpec([], tf.float32, name="factor"),
        ]
    )
    def multiply(self, scores: tf.Tensor, factor: tf.Tensor = FACTOR) -> dict:
        return {"scores": scores * factor}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="class_index")])
    def label(self, class_index: tf.Tensor) -> dict:
        return {"label": tf.gather(tf.constant(["cat", "dog", "eel"]), class_index)}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[triton.InferenceServerClient]:
    folder = tmp_path_factory.mktemp("classifier")
    module = Classifier()
    signatures = {"serving_default": module.multiply, "class_labels": module.label}
    tf.saved_model.save(module, str(folder), signatures=signatures)
    models = single_model("classifier", "unused")
    manager = ModelManager(models, lambda _, path: load(path))
    manager.set_aspired_versions("classifier", {1: folder})
    core = ServerCore(manager, models, poll_wait_seconds=0)
    port = free_port()
    options = GrpcOptions(port, transport=TRANSPORT)
    server = GrpcServer(core, DataPlane(manager, "GRPC", Metrics()), options, 1)
    server.start()
    with triton.InferenceServerClient(f"localhost:{port}") as client:
        yield client
    server.stop()
    manager.close()


def classes(client: triton.InferenceServerClient, *scores: float) -> list[bytes]:
    """Returns the two classes of the highest scores, all multiplied by the default factor."""
    array = np.array([scores], np.float32)
    tensor = triton.InferInput("scores", list(array.shape), "FP32").set_data_from_numpy(array)
    wanted = [triton.InferRequestedOutput("scores", class_count=2)]
    result = client.infer("classifier", [tensor], outputs=wanted).as_numpy("scores")
    assert result.shape == (1, 2)
    return list(result[0])


def test_classes_have_the_models_names(client: triton.InferenceServerClient) -> None:
    assert classes(client, 1, 5, 3) == [b"10.000000:1:dog", b"6.000000:2:eel"]


def test_scores_of_more_classes_than_have_names(client: triton.InferenceServerClient) -> None:
    assert classes(client, 1, 5, 3, 9) == [b"18.000000:3", b"10.000000:1"]
