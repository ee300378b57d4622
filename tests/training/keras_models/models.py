"""Small Keras models of every kind, with random weights."""

from __future__ import annotations

import keras
from keras import layers


def classifier(activation: str = "softmax", classes: int = 3, channels: int = 3) -> keras.Model:
    """A sequential classifier of 16×12 images that rescales them itself."""
    return keras.Sequential(
        [
            keras.Input((16, 12, channels)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, activation="relu", name="first"),
            layers.MaxPooling2D(),
            layers.Conv2D(6, 3, activation="relu", name="second"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(classes, activation=activation, name="head"),
        ],
        name="small",
    )


def nested() -> keras.Model:
    """A functional classifier whose convolutions are in a model of their own."""
    base = keras.Sequential(
        [keras.Input((16, 12, 3)), layers.Conv2D(4, 3, name="inner")], name="base"
    )
    images = keras.Input((16, 12, 3))
    skip = layers.Flatten()(images)
    features = layers.Flatten()(base(images / 2.0))
    logits = layers.Dense(3)(layers.Concatenate()([skip, features]))
    return keras.Model(images, layers.Softmax()(logits))


def any_size() -> keras.Model:
    """A classifier of images of any size."""
    return keras.Sequential(
        [
            keras.Input((None, None, 1)),
            layers.Conv2D(4, 3),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )


def autoencoder(code_name: str = "code") -> keras.Model:
    """An autoencoder of 8×8 images from 0 to 1, without named halves."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(4, name=code_name),
            layers.Dense(64, activation="sigmoid"),
            layers.Reshape((8, 8, 1)),
        ]
    )


def generator() -> keras.Model:
    """A decoder of latent vectors to images from -1 to 1."""
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(64, activation="tanh"),
            layers.Reshape((8, 8, 1)),
        ]
    )


def words() -> keras.Model:
    """A classifier of words, with a lookup table."""
    text = keras.Input((2,), dtype="string", name="words")
    indices = layers.StringLookup(vocabulary=["red", "blue"])(text)
    features = layers.GlobalAveragePooling1D()(layers.Embedding(4, 3)(indices))
    return keras.Model(text, layers.Dense(2, activation="softmax", name="answer")(features))


def two_inputs() -> keras.Model:
    """A regressor of two inputs."""
    one, two = keras.Input((3,), name="one"), keras.Input((4,), name="two")
    return keras.Model([one, two], layers.Dense(2, name="sum")(layers.Concatenate()([one, two])))


def segmentation() -> keras.Model:
    """A class for every pixel."""
    return keras.Sequential(
        [keras.Input((16, 12, 3)), layers.Conv2D(5, 3, padding="same", activation="softmax")]
    )


def recurrent() -> keras.Model:
    """A classifier of sequences."""
    return keras.Sequential(
        [keras.Input((10, 3)), layers.GRU(4), layers.Dense(2, activation="softmax")]
    )


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):
    """A classifier whose layers are called in code."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.convolution = layers.Conv2D(4, 3)
        self.flatten = layers.Flatten()
        self.head = layers.Dense(3)

    def call(self, images):
        return self.head(self.flatten(self.convolution(images)))
