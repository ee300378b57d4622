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


def brightest_channel() -> keras.Model:
    """A classifier of 16×12 images from 0 to 1 by their brightest channel."""
    images = keras.Input((16, 12, 3))
    means = layers.GlobalAveragePooling2D()(images)
    return keras.Model(images, layers.Softmax()(means))


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


def total() -> keras.Model:
    """A model whose output is one number for the whole batch."""
    values = keras.Input((3,))
    return keras.Model(values, {"total": keras.ops.sum(values)})


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
    """A classifier whose layers, one of them a custom layer, are called in code."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.convolution = layers.Conv2D(4, 3)
        self.doubled = Doubled()
        self.flatten = layers.Flatten()
        self.head = layers.Dense(3)

    def call(self, images):
        return self.head(self.flatten(self.doubled(self.convolution(images))))


@keras.saving.register_keras_serializable("tests")
class Doubled(layers.Layer):
    """A custom layer."""

    def call(self, inputs):
        return 2 * inputs


def custom() -> keras.Model:
    """A classifier with a custom layer among its layers."""
    first, *others = classifier().layers
    return keras.Sequential([keras.Input((16, 12, 3)), first, Doubled(), *others])


@keras.saving.register_keras_serializable("tests")
class Sampling(layers.Layer):
    """Draws a latent vector from its distribution."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.seeds = keras.random.SeedGenerator(0)

    def call(self, inputs):
        mean, log_variance = inputs
        noise = keras.random.normal(keras.ops.shape(mean), seed=self.seeds)
        return mean + keras.ops.exp(0.5 * log_variance) * noise


def encoder() -> keras.Model:
    """An encoder of 8×8 images from 0 to 1 to mean, log variance and a sample."""
    images = keras.Input((8, 8, 1))
    hidden = layers.Dense(8, activation="relu")(layers.Flatten()(images))
    mean, log_variance = layers.Dense(4, name="mean")(hidden), layers.Dense(4)(hidden)
    return keras.Model(
        images, [mean, log_variance, Sampling()([mean, log_variance])], name="encoder"
    )


def decoder() -> keras.Model:
    """A decoder of latent vectors to images from 0 to 1."""
    return keras.Sequential(
        [keras.Input((4,)), layers.Dense(64, activation="sigmoid"), layers.Reshape((8, 8, 1))],
        name="decoder",
    )


@keras.saving.register_keras_serializable("tests")
class Variational(keras.Model):
    """A variational autoencoder that is never called as a whole, as in Keras's examples."""

    def __init__(self, encoder: keras.Model, decoder: keras.Model, **options: object) -> None:
        super().__init__(**options)
        self.encoder = encoder
        self.decoder = decoder
        self.built = True  # As after training.

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {"encoder": serialize(self.encoder), "decoder": serialize(self.decoder)}

    @classmethod
    def from_config(cls, config):
        return cls(**{key: keras.saving.deserialize_keras_object(config[key]) for key in config})
