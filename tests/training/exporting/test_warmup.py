from __future__ import annotations

from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from training.exporting.session import SessionModel


def read_warmup_requests(version: Path) -> dict[str, dict[str, object]]:
    """Returns the inputs of each warm-up request, by signature."""
    path = version / "assets.extra" / "tf_serving_warmup_requests"
    requests = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        for record in tf.data.TFRecordDataset(str(path))
    ]
    assert {request.model_spec.name for request in requests} == {version.parent.name}
    return {
        request.model_spec.signature_name: {
            name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()
        }
        for request in requests
    }


def test_every_signature_is_warmed_up(exported_cnn: Path, served_cnn: SessionModel) -> None:
    assert set(read_warmup_requests(exported_cnn)) == set(served_cnn.signatures)


def test_warm_up_requests_replay(exported_cnn: Path, served_cnn: SessionModel) -> None:
    for signature_name, inputs in read_warmup_requests(exported_cnn).items():
        outputs = served_cnn.run(signature_name, **inputs)

        assert all(len(values) == 1 for values in outputs.values())


def test_a_black_image_takes_few_bytes(exported_cnn: Path) -> None:
    path = exported_cnn / "assets.extra" / "tf_serving_warmup_requests"

    images = read_warmup_requests(exported_cnn)["serving_default"]["images"]

    assert images.shape == (1, 28, 28, 1)
    assert not images.any()
    assert path.stat().st_size < 28 * 28 * 4
