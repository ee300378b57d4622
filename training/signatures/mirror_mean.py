"""Lets a classifier look twice: at an image and at its mirror image."""

from __future__ import annotations

import keras


def mirror_mean(model: keras.Model) -> keras.Model:
    """Returns a classifier whose logits are the mean of a model's for an image and its mirror.

    A network that was trained on mirrored images errs on each of the two by itself, so that their
    mean errs less (Krizhevsky et al. 2012, section 4.1, does so for ten crops). It costs two runs.

    Args:
        model: A classifier from float32 [N, H, W, C] images to float32 [N, K] logits. Its weights
            are shared with the result.
    """
    images = keras.Input(model.input_shape[1:], name="images")
    mirrored = keras.ops.flip(images, axis=2)
    logits = keras.layers.Average(name="mean")([model(images), model(mirrored)])
    return keras.Model(images, logits, name=model.name)
