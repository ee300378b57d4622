"""Variational autoencoders (Kingma and Welling 2013, https://arxiv.org/abs/1312.6114)."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from training.architectures.elbo import kl_divergence, log_likelihood
from training.architectures.layers.sampler import Sampler
from training.architectures.layers.scaling import double, halve


@keras.saving.register_keras_serializable(package="lectern")
class VariationalAutoencoder(keras.Model):  # type: ignore[misc]  # Keras ships no types.
    """Trains an encoder and a decoder on the evidence lower bound; a call reconstructs images.

    Args:
        encoder: A model named `encoder` from float32 [N, H, W, C] images, 0 to 255, to the mean
            and the log variance of their latent vectors, float32 [N, L] each.
        decoder: A model named `decoder` from float32 [N, L] latent vectors to images.
        **options: Options of `keras.Model`.
    """

    def __init__(self, encoder: keras.Model, decoder: keras.Model, **options: Any) -> None:
        super().__init__(**options)
        self.encoder = encoder
        self.decoder = decoder
        self.sampler = Sampler(name="sampler")
        self._means = {
            name: keras.metrics.Mean(name) for name in ("loss", "reconstruction", "kl_divergence")
        }
        self.build(encoder.input_shape)  # Restoring a checkpoint needs a built model.

    def build(self, _: tuple[int | None, ...]) -> None:
        """Builds the sampler; encoder and decoder are built already."""
        self.sampler.build(self.decoder.input_shape)

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of a batch of images, like that of a functional model."""
        return tuple(self.encoder.input_shape)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The metrics that Keras reports and resets in each epoch."""
        return list(self._means.values())

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Reconstructs images from the means of their latent vectors."""
        mean, _ = self.encoder(images)
        return self.decoder(mean)

    def train_step(self, data: tuple[tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Performs one training step on a batch (images, images)."""
        images, _ = data
        with tf.GradientTape() as tape:
            evidence = self._evidence(images, training=True)
        gradients = tape.gradient(evidence["loss"], self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return self._record(evidence)

    def test_step(self, data: tuple[tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Evaluates a batch (images, images)."""
        images, _ = data
        return self._record(self._evidence(images, training=False))

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration of the model."""
        parts = {"encoder": self.encoder, "decoder": self.decoder}
        return {
            "name": self.name,
            **{name: keras.saving.serialize_keras_object(part) for name, part in parts.items()},
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> VariationalAutoencoder:
        """Builds a model with new weights from a configuration."""
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in ("encoder", "decoder")
        }
        return cls(**{**config, **parts})

    def _evidence(self, images: tf.Tensor, training: bool) -> dict[str, tf.Tensor]:
        mean, log_variance = self.encoder(images, training=training)
        decoded = self.decoder(self.sampler(mean, log_variance), training=training)
        reconstruction = -tf.reduce_mean(log_likelihood(images, decoded))
        divergence = tf.reduce_mean(kl_divergence(mean, log_variance))
        return {
            "loss": reconstruction + divergence,
            "reconstruction": reconstruction,
            "kl_divergence": divergence,
        }

    def _record(self, evidence: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        for name, value in evidence.items():
            self._means[name].update_state(value)
        return {name: mean.result() for name, mean in self._means.items()}


def build_vae(
    image_shape: tuple[int, int, int] = (28, 28, 1), latent_size: int = 20
) -> VariationalAutoencoder:
    """Builds the course's variational autoencoder, untrained: one hidden layer on each side.

    Args:
        image_shape: Height, width and channels of an image.
        latent_size: Dimensions of the latent space.
    """
    images = keras.Input(image_shape, name="images")
    hidden = layers.Rescaling(1 / 255, name="rescale")(images)
    hidden = layers.Flatten(name="flatten")(hidden)
    hidden = layers.Dense(400, activation="relu", name="dense")(hidden)
    encoder = keras.Model(images, _latent_distribution(hidden, latent_size), name="encoder")
    decoder = keras.Sequential(
        [
            keras.Input((latent_size,), name="latent"),
            layers.Dense(400, activation="relu", name="dense"),
            layers.Dense(math.prod(image_shape), activation="sigmoid", name="pixels"),
            layers.Reshape(image_shape, name="image"),
            layers.Rescaling(255, name="rescale"),
        ],
        name="decoder",
    )
    return VariationalAutoencoder(encoder, decoder, name="vae")


def build_vae_conv(
    image_shape: tuple[int, int, int] = (28, 28, 1), latent_size: int = 20
) -> VariationalAutoencoder:
    """Builds a convolutional variational autoencoder, untrained.

    Args:
        image_shape: Height, width (both multiples of 4) and channels of an image.
        latent_size: Dimensions of the latent space.
    """
    images = keras.Input(image_shape, name="images")
    hidden = layers.Rescaling(1 / 255, name="rescale")(images)
    hidden = halve(16, "conv1")(hidden)
    hidden = halve(32, "conv2")(hidden)
    hidden = layers.Flatten(name="flatten")(hidden)
    hidden = layers.Dense(256, activation="leaky_relu", name="dense")(hidden)
    encoder = keras.Model(images, _latent_distribution(hidden, latent_size), name="encoder")
    decoder = build_conv_decoder(image_shape, latent_size)
    return VariationalAutoencoder(encoder, decoder, name="vae_conv")


def build_conv_decoder(image_shape: tuple[int, int, int], latent_size: int) -> keras.Model:
    """Builds the decoder of `vae_conv`, untrained, named `decoder`.

    Args:
        image_shape: Height, width (both multiples of 4) and channels of an image.
        latent_size: Dimensions of the latent space.
    """
    height, width, channels = image_shape
    return keras.Sequential(
        [
            keras.Input((latent_size,), name="latent"),
            layers.Dense(256, activation="leaky_relu", name="dense1"),
            layers.Dense(height // 4 * width // 4 * 32, activation="leaky_relu", name="dense2"),
            layers.Reshape((height // 4, width // 4, 32), name="map"),
            double(16, "conv1"),
            double(channels, "pixels", activation="sigmoid"),
            layers.Rescaling(255, name="rescale"),
        ],
        name="decoder",
    )


def _latent_distribution(
    hidden: keras.KerasTensor, latent_size: int
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Returns an encoder's outputs: mean and log variance, float32 [N, latent_size] each."""
    return (
        layers.Dense(latent_size, name="mean")(hidden),
        layers.Dense(latent_size, name="log_variance")(hidden),
    )
