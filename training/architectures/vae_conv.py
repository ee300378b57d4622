"""A convolutional variational autoencoder: the course's idea with neighbouring pixels in mind."""

from __future__ import annotations

import keras
from keras import layers

from training.architectures.layers.scaling import double, halve
from training.architectures.vae import VariationalAutoencoder, latent_distribution


def build_vae_conv(
    image_shape: tuple[int, int, int] = (28, 28, 1), latent_size: int = 20
) -> VariationalAutoencoder:
    """Builds the network, untrained.

    Args:
        image_shape: Height and width of an image, both multiples of 4, and its channels.
        latent_size: Dimensions of the latent space.
    """
    height, width, channels = image_shape
    images = keras.Input(image_shape, name="images")
    hidden = layers.Rescaling(1 / 255, name="rescale")(images)
    hidden = halve(16, "conv1")(hidden)
    hidden = halve(32, "conv2")(hidden)
    hidden = layers.Flatten(name="flatten")(hidden)
    hidden = layers.Dense(256, activation="leaky_relu", name="dense")(hidden)
    encoder = keras.Model(images, latent_distribution(hidden, latent_size), name="encoder")
    decoder = keras.Sequential(
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
    return VariationalAutoencoder(encoder, decoder, name="vae_conv")
