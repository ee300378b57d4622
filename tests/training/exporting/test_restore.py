from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from training.architectures.mlp import build_mlp
from training.errors import ModelRepositoryError
from training.exporting.export import Origin, export
from training.exporting.restore import load_shared_weights, load_weights
from training.signatures.predict import predict
from training.zoo import find_network
from training.zoo.recipe import Recipe


def test_an_exported_network_comes_back(exported_cnn: Path, cnn: keras.Model) -> None:
    model = find_network("cnn").build()

    load_weights(model, exported_cnn)

    for found, expected in zip(model.get_weights(), cnn.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_state_of_random_numbers_is_not_asked_for(tmp_path: Path) -> None:
    model, restored = (build_mlp(widths=(2,), dropout=0.5) for _ in range(2))
    signatures = [predict(model, [str(index) for index in range(10)])]
    version = export(tmp_path, signatures, Origin("mlp", "quick", Recipe(epochs=1)))

    load_weights(restored, version)

    for found, expected in zip(restored.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_another_network_is_refused(exported_cnn: Path) -> None:
    with pytest.raises(ModelRepositoryError, match="Expected the same names and shapes"):
        load_weights(find_network("svm").build(), exported_cnn)


def test_a_folder_without_a_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelRepositoryError, match="cannot be loaded as a SavedModel"):
        load_weights(find_network("svm").build(), tmp_path)


def test_only_the_weights_that_two_networks_share_are_loaded(
    exported_cnn: Path, cnn: keras.Model
) -> None:
    first = cnn.layers[1:3]
    copies = [type(layer).from_config(layer.get_config()) for layer in first]
    others = [keras.layers.Flatten(), keras.layers.Dense(2, name="other")]
    model = keras.Sequential([keras.Input((28, 28, 1)), *copies, *others], name=cnn.name)
    before = model.get_layer("other").get_weights()

    load_shared_weights(model, exported_cnn)

    for layer in first:
        for found, expected in zip(
            model.get_layer(layer.name).get_weights(), layer.get_weights(), strict=True
        ):
            np.testing.assert_array_equal(found, expected)
    for found, expected in zip(model.get_layer("other").get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_network_that_shares_no_weights_is_refused(exported_cnn: Path) -> None:
    with pytest.raises(ModelRepositoryError, match="expected some of the paths"):
        load_shared_weights(find_network("svm").build(), exported_cnn)
