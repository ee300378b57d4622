from __future__ import annotations

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from training.data.fashion_mnist import CLASS_NAMES
from training.exporting.session import SessionModel


def encode(pixels: np.ndarray, file_format: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, file_format, **options)
    return file.getvalue()


def gradient_image(height: int, width: int) -> np.ndarray:
    """A smooth picture, uint8, which survives compression and resizing."""
    rows, columns = np.linspace(0, 1, height), np.linspace(0, 1, width)
    return np.round(255 * np.outer(rows, columns)).astype(np.uint8)


def predict_arrays(model: SessionModel, *pictures: np.ndarray) -> dict[str, np.ndarray]:
    images = np.stack(pictures).astype(np.float32)[..., None]
    return model.run("serving_default", images=images)


def test_outputs_agree_with_the_keras_model(
    served_cnn: SessionModel, cnn: object, images: np.ndarray
) -> None:
    outputs = served_cnn.run("serving_default", images=images)

    logits = cnn.predict(images, verbose=0)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(outputs["logits"], logits, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        outputs["probabilities"], exponentials / exponentials.sum(axis=1, keepdims=True), rtol=1e-4
    )
    np.testing.assert_array_equal(outputs["class_index"], logits.argmax(axis=1))
    assert outputs["class_index"].dtype == np.int32
    expected = [CLASS_NAMES[index].encode() for index in logits.argmax(axis=1)]
    assert outputs["label"].tolist() == expected


def test_a_png_counts_like_its_pixels(served_cnn: SessionModel, images: np.ndarray) -> None:
    files = [encode(image[..., 0].astype(np.uint8)) for image in images]

    outputs = served_cnn.run("predict_bytes", image_bytes=files)

    expected = served_cnn.run("serving_default", images=images)
    np.testing.assert_allclose(outputs["logits"], expected["logits"], rtol=1e-4, atol=1e-5)


def test_colour_and_jpeg_come_close_to_the_grey_pixels(served_cnn: SessionModel) -> None:
    picture = gradient_image(28, 28)
    colour = np.repeat(picture[..., None], 3, axis=2)
    files = [
        encode(colour),
        encode(colour, "JPEG", quality=100),
        encode(picture, "JPEG", quality=100),
    ]

    outputs = served_cnn.run("predict_bytes", image_bytes=files)

    expected = predict_arrays(served_cnn, picture, picture, picture)
    np.testing.assert_allclose(outputs["logits"], expected["logits"], atol=0.01)


def test_pictures_of_any_size_are_resized(served_cnn: SessionModel) -> None:
    files = [encode(gradient_image(280, 140)), encode(gradient_image(14, 56))]

    outputs = served_cnn.run("predict_bytes", image_bytes=files)

    expected = predict_arrays(served_cnn, gradient_image(28, 28), gradient_image(28, 28))
    np.testing.assert_allclose(outputs["logits"], expected["logits"], atol=0.02)


def test_a_file_that_is_no_image_is_an_invalid_argument(served_cnn: SessionModel) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be PNG or JPEG files"):
        served_cnn.run("predict_bytes", image_bytes=[b"not an image"])
