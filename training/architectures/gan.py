"""A generative adversarial network (Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661).

The loss is that of Huang et al. 2024 (https://arxiv.org/abs/2501.05441): the critic learns to score
each real image above a generated one, with a penalty on its slope, and the generator the opposite.
Unlike WGAN-GP (https://arxiv.org/abs/1704.00028), it needs one step of the critic per step of the
generator.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from training.architectures.layers.scaling import halve
from training.architectures.vae import build_conv_decoder

# Weight of the penalty on the critic's slope, for pixels from -1 to 1.
SLOPE_PENALTY = 0.5
# One image of so many is used for the penalty, which costs as much as the rest of the step.
PENALTY_STRIDE = 8


@keras.saving.register_keras_serializable(package="lectern")
class AdversarialNetwork(keras.Model):  # type: ignore[misc]  # Keras ships no types.
    """Trains a generator and a critic against each other; a call scores images.

    Args:
        decoder: A generator named `decoder` from float32 [N, L] normally distributed latent vectors
            to float32 [N, H, W, C] images, 0 to 255.
        critic: A model named `critic` from images to scores, float32 [N, 1]; higher means that an
            image looks more like a real one.
        **options: Options of `keras.Model`.
    """

    def __init__(self, decoder: keras.Model, critic: keras.Model, **options: Any) -> None:
        super().__init__(**options)
        self.decoder = decoder
        self.critic = critic
        self._noise = keras.random.SeedGenerator()
        self._means = {name: keras.metrics.Mean(name) for name in ("loss", "critic_loss", "gap")}
        self.built = True  # Its parts are. Restoring a checkpoint needs a built model.

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of a batch of images, like that of a functional model."""
        return tuple(self.critic.input_shape)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The metrics that Keras reports and resets in each epoch."""
        return list(self._means.values())

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Returns the critic's score of each image, float32 [N, 1]."""
        return self.critic(images)

    def train_step(self, data: tuple[tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Performs one step of both players on a batch (images, images)."""
        images, _ = data
        with tf.GradientTape(persistent=True) as tape:
            generated = self._generate(tf.shape(images)[0], training=True)
            losses = self._compare(images, generated, training=True)
            penalty = self._slope(images) + self._slope(tf.stop_gradient(generated))
            critic_loss = losses["critic_loss"] + SLOPE_PENALTY / 2 * penalty
        generator_weights = self.decoder.trainable_variables
        critic_weights = self.critic.trainable_variables
        gradients = [
            *tape.gradient(losses["loss"], generator_weights),
            *tape.gradient(critic_loss, critic_weights),
        ]
        # One step of the optimizer for both: its schedule and moving averages count the batches.
        self.optimizer.apply(gradients, [*generator_weights, *critic_weights])
        return self._record(losses)

    def test_step(self, data: tuple[tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Evaluates a batch (images, images) beside as many generated images."""
        images, _ = data
        generated = self._generate(tf.shape(images)[0], training=False)
        return self._record(self._compare(images, generated, training=False))

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration of the model."""
        parts = {"decoder": self.decoder, "critic": self.critic}
        return {
            "name": self.name,
            **{name: keras.saving.serialize_keras_object(part) for name, part in parts.items()},
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> AdversarialNetwork:
        """Builds a model with new weights from a configuration."""
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in ("decoder", "critic")
        }
        return cls(**{**config, **parts})

    def _generate(self, count: int, training: bool) -> tf.Tensor:
        shape = (count, self.decoder.input_shape[-1])
        latent = keras.random.normal(shape, seed=self._noise)
        return self.decoder(latent, training=training)

    def _compare(
        self, images: tf.Tensor, generated: tf.Tensor, training: bool
    ) -> dict[str, tf.Tensor]:
        real = self.critic(images, training=training)
        gap = real - self.critic(generated, training=training)
        return {
            "loss": tf.reduce_mean(ops.softplus(gap)),
            "critic_loss": tf.reduce_mean(ops.softplus(-gap)),
            "gap": tf.reduce_mean(gap),
        }

    def _slope(self, images: tf.Tensor) -> tf.Tensor:
        """Returns the mean squared slope of the critic at some of the images."""
        some = images[::PENALTY_STRIDE]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(some)
            score = self.critic(some, training=True)
        slope = 127.5 * tape.gradient(score, some)  # For pixels from -1 to 1.
        return tf.reduce_mean(tf.reduce_sum(slope**2, axis=(1, 2, 3)))

    def _record(self, losses: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        for name, value in losses.items():
            self._means[name].update_state(value)
        return {name: mean.result() for name, mean in self._means.items()}


def build_gan(
    image_shape: tuple[int, int, int] = (28, 28, 1), latent_size: int = 20
) -> AdversarialNetwork:
    """Builds an adversarial network whose generator is the decoder of `vae_conv`, untrained.

    Args:
        image_shape: Height, width (both multiples of 4) and channels of an image.
        latent_size: Dimensions of the latent space.
    """
    critic = keras.Sequential(
        [
            keras.Input(image_shape, name="images"),
            layers.Rescaling(1 / 127.5, offset=-1, name="rescale"),
            halve(32, "conv1"),
            halve(64, "conv2"),
            layers.Flatten(name="flatten"),
            layers.Dense(1, name="score"),
        ],
        name="critic",
    )
    return AdversarialNetwork(build_conv_decoder(image_shape, latent_size), critic, name="gan")
