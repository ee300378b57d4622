from __future__ import annotations

import keras
from keras import layers

from training.signatures.feature_maps import feature_maps, last_features


def names(*stack: keras.Layer) -> list[str]:
    return [layer.name for layer in feature_maps(keras.Sequential(list(stack)))]


def test_an_activation_completes_the_map_and_pooling_ends_it() -> None:
    assert names(
        keras.Input((8, 8, 1)),
        layers.Rescaling(2.0),
        layers.Conv2D(4, 3, name="first"),
        layers.BatchNormalization(),
        layers.ReLU(name="first_relu"),
        layers.MaxPooling2D(),
        layers.SeparableConv2D(5, 3, activation="relu", name="second"),
        layers.Flatten(),
        layers.Dense(2),
    ) == ["first_relu", "second"]


def test_a_residual_sum_completes_the_map() -> None:
    inputs = keras.Input((8, 8, 1))
    stem = layers.Conv2D(4, 3, padding="same")(inputs)
    inner = layers.Conv2D(4, 3, padding="same")(layers.ReLU()(stem))
    total = layers.Add(name="sum")([stem, inner])
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(total)))

    assert [layer.name for layer in feature_maps(model)] == ["sum"]


def test_a_nested_model_counts_as_one() -> None:
    nested = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Conv2D(4, 3), layers.Conv2D(4, 3)], name="nested"
    )

    assert names(keras.Input((8, 8, 1)), nested, layers.Flatten()) == ["nested"]


def test_a_dense_network_has_none() -> None:
    assert names(keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(2)) == []


def test_the_last_features_are_all_that_a_dense_block_concatenates() -> None:
    inputs = keras.Input((8, 8, 1))
    stem = layers.Conv2D(4, 3, padding="same")(inputs)
    more = layers.Conv2D(2, 3, padding="same", name="conv")(stem)
    together = layers.ReLU(name="relu")(layers.Concatenate()([stem, more]))
    pooled = layers.GlobalAveragePooling2D(keepdims=True)(layers.MaxPooling2D()(together))
    model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(pooled)))

    assert feature_maps(model)[-1].name == "conv"
    assert last_features(model).name == "relu"


def test_without_a_convolution_there_are_no_last_features() -> None:
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Rescaling(2.0), layers.Flatten()])
    assert last_features(model) is None
