"""What holds for every method of saliency, as a model server runs it."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from training.exporting.session import SessionModel

METHODS = ["gradient", "smoothgrad", "integrated_gradients", "gradcam"]

pytestmark = pytest.mark.parametrize("method", METHODS)


def test_minus_one_means_the_top_class(
    method: str, served_cnn: SessionModel, images: np.ndarray
) -> None:
    top_class = served_cnn.run("serving_default", images=images)["class_index"]

    sentinel = served_cnn.run(f"saliency_{method}", images=images, class_index=[-1] * 5)

    explicit = served_cnn.run(f"saliency_{method}", images=images, class_index=top_class)
    np.testing.assert_array_equal(sentinel["class_index"], top_class)
    np.testing.assert_array_equal(sentinel["attribution"], explicit["attribution"])


@pytest.mark.parametrize("class_index", [-2, 10])
def test_an_index_that_is_no_class_is_an_invalid_argument(
    class_index: int, method: str, served_cnn: SessionModel, images: np.ndarray
) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="class_index must be -1"):
        served_cnn.run(f"saliency_{method}", images=images[:1], class_index=[class_index])


def test_an_image_is_explained_alike_alone_and_among_others(
    method: str, served_cnn: SessionModel, images: np.ndarray
) -> None:
    class_index = np.array([-1, 0, 4, 7, 9], np.int32)

    together = served_cnn.run(f"saliency_{method}", images=images, class_index=class_index)

    for position in range(5):
        one = slice(position, position + 1)
        alone = served_cnn.run(
            f"saliency_{method}", images=images[one], class_index=class_index[one]
        )
        for name, values in alone.items():
            scale = np.abs(values).max()
            np.testing.assert_allclose(together[name][one], values, rtol=1e-3, atol=1e-4 * scale)
