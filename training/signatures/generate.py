"""The generation task: new images from seeded random latent vectors."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from training.signatures.signature import Signature, make_signature


def generate(decoder: keras.Model, critic: keras.Model | None = None) -> Signature:
    """Returns the signature `generate`.

    Inputs: `seed` int64 [N]; `temperature` float32 [N], which scales the latent vector: 1 samples
    the learned distribution, lower values give more typical images.
    Outputs: `images` float32 [N, H, W, C], 0 to 255; `latent` float32 [N, L]. The same seed gives
    the same image on every server, regardless of the batch. With a critic also `critic_score`
    float32 [N], which is higher for images that look more like real ones.

    Args:
        decoder: A model from normally distributed latent vectors to images.
        critic: A model from images to scores, float32 [N, 1]; None if there is none.
    """
    latent_size = decoder.input_shape[-1]

    def noise(seed: tf.Tensor) -> tf.Tensor:
        # TensorFlow's default algorithm depends on the device.
        return tf.random.stateless_normal([latent_size], [seed, 0], alg="philox")

    def serve(seed: tf.Tensor, temperature: tf.Tensor) -> dict[str, tf.Tensor]:
        spec = tf.TensorSpec([latent_size], tf.float32)
        latent = temperature[:, None] * tf.map_fn(noise, seed, fn_output_signature=spec)
        images = decoder(latent, training=False)
        outputs = {"images": images, "latent": latent}
        if critic is not None:
            outputs["critic_score"] = critic(images, training=False)[:, 0]
        return outputs

    specs = [
        tf.TensorSpec([None], tf.int64, name="seed"),
        tf.TensorSpec([None], tf.float32, name="temperature"),
    ]
    seed, temperature = np.zeros(1, np.int64), np.ones(1, np.float32)
    return make_signature("generate", serve, specs, {"seed": seed, "temperature": temperature})
