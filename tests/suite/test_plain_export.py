"""What `model.export()` of Keras writes, served and explained beside our own export."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import requests
from PIL import Image

from tests.processes import SAMPLES
from tests.stack import COMMITTED, Stack, started


def two_colours(shape: tuple[int | None, int | None, int]) -> keras.Model:
    """A classifier whose two probabilities follow the red and the blue of the upper left corner."""
    images = keras.Input(shape)
    corner = keras.layers.Lambda(
        lambda pixels: pixels[:, :8, :8], output_shape=(8, 8, 3), name="corner"
    )(images)
    mean = keras.layers.GlobalAveragePooling2D()(corner)
    dense = keras.layers.Dense(2, activation="softmax", use_bias=False)
    scores = dense(mean)
    dense.set_weights([np.array([[1, 0], [0, 0], [0, 1]], np.float32) / 30])
    return keras.Model(images, scores)


def brightness() -> keras.Model:
    """A classifier with one sigmoid."""
    images = keras.Input((32, 48, 3))
    scaled = keras.layers.Rescaling(1 / 255)(images)
    mean = keras.layers.GlobalAveragePooling2D()(scaled)
    return keras.Model(images, keras.layers.Dense(1, activation="sigmoid")(mean))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("plain")
    models = {
        "colours": two_colours((32, 48, 3)),
        "free": two_colours((None, None, 3)),
        "brightness": brightness(),
    }
    for name, model in models.items():
        model.export(folder / name / "1", verbose=False)
    with started({"cnn": COMMITTED["cnn"], **{name: folder / name for name in models}}) as running:
        yield running


def photo(width: int, height: int) -> bytes:
    """A green picture with a red upper left corner."""
    pixels = np.full((height, width, 3), [0, 160, 0], np.uint8)
    pixels[:8, :8] = [255, 0, 0]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def call(stack: Stack, model: str, verb: str, image: bytes | Path, **query: Any) -> dict[str, Any]:
    response = requests.post(
        f"{stack.url()}/v1/models/{model}:{verb}",
        params=query,
        data=image.read_bytes() if isinstance(image, Path) else image,
        headers={"Content-Type": "image/png", "Accept": "application/json"},
        timeout=60,
    )
    assert response.ok, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_plain_exports_are_listed_as_classifiers(stack):
    models = requests.get(f"{stack.url()}/v1/models", timeout=60).json()["models"]
    listed = {model["name"]: model for model in models}
    for name, classes in (("colours", 2), ("free", 2), ("brightness", 1)):
        assert listed[name]["tasks"] == ["predict", "saliency"]
        assert listed[name]["saliency_methods"] == ["occlusion", "rise"]
        assert listed[name]["classes"] == [None] * classes
    in_graph = ["gradcam", "gradient", "integrated_gradients", "smoothgrad"]
    assert listed["cnn"]["saliency_methods"] == [*in_graph, "occlusion", "rise"]


@pytest.mark.parametrize(("model", "size"), [("colours", (48, 32)), ("free", (40, 60))])
@pytest.mark.parametrize("method", ["occlusion", "rise"])
def test_a_plain_export_is_predicted_and_explained(stack, model, size, method):
    image = photo(*size)
    [prediction] = call(stack, model, "predict", image, top=1)["predictions"]
    assert prediction["class_index"] == 0
    assert prediction["probability"] == prediction["score"] > 0.99
    assert len(prediction["top"]) == 1
    answer = call(stack, model, "saliency", image, method=method, score=True)
    [explanation] = answer["explanations"]
    attribution = np.array(explanation["attribution"])
    assert attribution.shape == size[::-1]
    assert attribution[:8, :8].mean() > 3 * np.abs(attribution[12:, 12:]).mean()
    scores = explanation["scores"]
    assert scores["deletion_curve"][0] == pytest.approx(prediction["probability"], rel=1e-3)
    assert scores["deletion"] < 0.75 < scores["insertion"]
    assert call(stack, model, "saliency", image, method=method, score=True) == answer


def test_one_sigmoid_is_one_class(stack):
    [prediction] = call(stack, "brightness", "predict", photo(48, 32))["predictions"]
    assert (prediction["class_index"], prediction["probability"]) == (0, None)
    assert 0 < prediction["score"] < 1
    answer = call(stack, "brightness", "saliency", photo(48, 32))
    assert answer["method"] == "occlusion"
    assert answer["explanations"][0]["class_index"] == 0


def scores_of_samples(stack: Stack, method: str) -> dict[str, np.ndarray]:
    """Return the scores of the maps of all samples, with the labels that were explained."""
    files = [("files", path.open("rb")) for path in sorted(SAMPLES.glob("*.png"))]
    response = requests.post(
        f"{stack.url()}/v1/models/cnn:saliency",
        params={"method": method, "score": True},
        files=files,
        timeout=60,
    )
    for _, file in files:
        file.close()
    explanations = response.json()["explanations"]
    scores = [each["scores"] for each in explanations]
    return {
        "labels": np.array([each["label"] for each in explanations]),
        "starts": np.array([each["deletion_curve"][0] for each in scores]),
        "deletion": np.array([each["deletion"] for each in scores]),
        "insertion": np.array([each["insertion"] for each in scores]),
    }


def test_maps_of_our_own_model_from_outside_are_more_faithful_than_its_gradient(stack):
    gradient, rise = (scores_of_samples(stack, method) for method in ("gradient", "rise"))
    np.testing.assert_array_equal(rise["labels"], gradient["labels"])
    np.testing.assert_allclose(rise["starts"], gradient["starts"], rtol=1e-3)
    assert rise["deletion"].mean() < gradient["deletion"].mean() - 0.1
    assert rise["insertion"].mean() > gradient["insertion"].mean()


def test_the_deadline_ends_a_long_explanation(stack):
    response = requests.post(
        f"{stack.url()}/v1/models/free:saliency?method=rise&masks=8192",
        data=photo(500, 400),
        headers={"Content-Type": "image/png", "Grpc-Timeout": "500m"},
        timeout=60,
    )
    assert response.status_code == 504
    assert "which need up to 8193 predictions" in response.json()["detail"]
    assert response.elapsed.total_seconds() < 5
