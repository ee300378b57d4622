from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from training.errors import ModelRepositoryError
from training.exporting.export import Origin, read_origin
from training.exporting.session import SessionModel
from training.zoo.recipe import Recipe

EXPLANATION = {"attribution": ("float32", [-1, 28, 28]), "class_index": ("int32", [-1])}
ACTIVATIONS = {
    "rescale": ("float32", [-1, 28, 28, 1]),
    "conv1": ("float32", [-1, 26, 26, 32]),
    "pool1": ("float32", [-1, 13, 13, 32]),
    "conv2": ("float32", [-1, 11, 11, 64]),
    "pool2": ("float32", [-1, 5, 5, 64]),
    "conv3": ("float32", [-1, 3, 3, 64]),
    "flatten": ("float32", [-1, 576]),
    "dense": ("float32", [-1, 64]),
    "logits": ("float32", [-1, 10]),
}


def describe(tensors: dict[str, object]) -> dict[str, tuple[str, list[int]]]:
    return {
        name: (tf.as_dtype(info.dtype).name, [size.size for size in info.tensor_shape.dim])
        for name, info in tensors.items()
    }


def test_signatures_keep_the_model_contract(served_cnn: SessionModel) -> None:
    images = ("float32", [-1, 28, 28, 1])
    answer = {
        "probabilities": ("float32", [-1, 10]),
        "logits": ("float32", [-1, 10]),
        "class_index": ("int32", [-1]),
        "label": ("string", [-1]),
    }
    found = {
        name: (describe(signature.inputs), describe(signature.outputs))
        for name, signature in served_cnn.signatures.items()
    }

    explained = ({"images": images, "class_index": ("int32", [-1])}, EXPLANATION)
    visualized = (
        {"channel": ("int32", [-1]), "seed": ("int32", [-1])},
        {"images": images, "activation": ("float32", [-1])},
    )
    assert found == {
        "serving_default": ({"images": images}, answer),
        "predict_bytes": ({"image_bytes": ("string", [-1])}, answer),
        "class_labels": ({"class_index": ("int32", [-1])}, {"label": ("string", [-1])}),
        "saliency_gradient": explained,
        "saliency_smoothgrad": explained,
        "saliency_integrated_gradients": (
            explained[0],
            {**EXPLANATION, "convergence_delta": ("float32", [-1])},
        ),
        "saliency_gradcam": explained,
        "activations": ({"images": images}, ACTIVATIONS),
        "feature_visualization_conv1": visualized,
        "feature_visualization_conv2": visualized,
        "feature_visualization_conv3": visualized,
        "feature_visualization_logits": visualized,
    }


def test_weights_are_stored_once(exported_cnn: Path, cnn: keras.Model) -> None:
    (weights,) = (exported_cnn / "variables").glob("variables.data-*")

    assert weights.stat().st_size < 1.05 * 4 * cnn.count_params()


def test_it_loads_in_tensorflow_2_too(exported_cnn: Path, images: np.ndarray) -> None:
    saved_model = tf.saved_model.load(str(exported_cnn))

    outputs = saved_model.signatures["serving_default"](images=tf.constant(images))

    assert outputs["logits"].shape == (5, 10)


def test_a_version_says_how_it_was_trained(exported_cnn: Path) -> None:
    assert read_origin(exported_cnn) == Origin("cnn", "quick", Recipe(epochs=1))


@pytest.mark.parametrize(
    "content", [None, "not json", "{}", '{"network": "a", "preset": "b", "recipe": {}}']
)
def test_a_version_of_unknown_origin_is_refused(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "assets.extra").mkdir()
        (tmp_path / "assets.extra" / "training.json").write_text(content)

    with pytest.raises(ModelRepositoryError, match=r"training\.json does not say"):
        read_origin(tmp_path)
