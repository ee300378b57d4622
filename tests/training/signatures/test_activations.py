from __future__ import annotations

import keras
import numpy as np

from training.exporting.session import SessionModel


def test_every_layer_is_there_and_agrees_with_the_layers_called_in_turn(
    served_cnn: SessionModel, cnn: keras.Model, images: np.ndarray
) -> None:
    outputs = served_cnn.run("activations", images=images)

    assert set(outputs) == {layer.name for layer in cnn.layers}
    values = images
    for layer in cnn.layers:
        values = np.asarray(layer(values))
        np.testing.assert_allclose(outputs[layer.name], values, rtol=1e-3, atol=1e-4)


def test_the_last_layer_is_the_answer(served_cnn: SessionModel, images: np.ndarray) -> None:
    outputs = served_cnn.run("activations", images=images)

    logits = served_cnn.run("serving_default", images=images)["logits"]
    np.testing.assert_allclose(outputs["logits"], logits, rtol=1e-4, atol=1e-5)
