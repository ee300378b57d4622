"""Test-time augmentation: averages a classifier's logits over an image and its flip."""

from __future__ import annotations

import keras


def average_over_flip(model: keras.Model) -> keras.Model:
    """Returns a classifier whose logits are the mean for an image and for its horizontal flip.

    A network that was trained on flipped images makes partly different errors on the two, so the
    mean is more accurate (Krizhevsky et al. 2012, section 4.1, average over ten crops). A
    prediction costs twice as much.

    Args:
        model: A classifier from float32 [N, H, W, C] images to float32 [N, K] logits. It shares
            its weights with the result.
    """
    images = keras.Input(model.input_shape[1:], name="images")
    flipped = keras.ops.flip(images, axis=2)
    logits = keras.layers.Average(name="mean")([model(images), model(flipped)])
    return keras.Model(images, logits, name=model.name)
