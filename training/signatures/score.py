"""The critic's task: how much images look like real ones."""

from __future__ import annotations

import keras
import tensorflow as tf

from training.signatures.signature import (
    Signature,
    example_images,
    images_spec,
    make_signature,
)


def score(critic: keras.Model) -> Signature:
    """Returns the signature `serving_default` of an adversarial network.

    Inputs: `images` float32 [N, H, W, C], 0 to 255.
    Outputs: `critic_score` float32 [N], higher for images that look more like real ones. Only
    differences between scores have a meaning.

    Args:
        critic: A model from images to scores, float32 [N, 1].
    """

    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"critic_score": critic(images, training=False)[:, 0]}

    specs, example = [images_spec(critic)], {"images": example_images(critic)}
    return make_signature("serving_default", serve, specs, example)
