"""The evidence lower bound of a variational autoencoder, in nats an image.

Kingma and Welling 2013, https://arxiv.org/abs/1312.6114: the log-likelihood of an image given its
latent vector, less the divergence of the encoder's distribution from the prior.
"""

from __future__ import annotations

import keras
from keras import ops


def log_likelihood(images: keras.KerasTensor, decoded: keras.KerasTensor) -> keras.KerasTensor:
    """Returns log p(image | latent) of pixels that are lit with a probability, float32 [N].

    A grey level counts as that share of lit pixels, as is usual since Kingma and Welling.

    Args:
        images: float32 [N, H, W, C], 0 to 255.
        decoded: The same; 255 times the probabilities.
    """
    return -ops.sum(ops.binary_crossentropy(images / 255, decoded / 255), axis=(1, 2, 3))


def kl_divergence(mean: keras.KerasTensor, log_variance: keras.KerasTensor) -> keras.KerasTensor:
    """Returns the divergence of a diagonal normal distribution from the standard one, float32 [N].

    Args:
        mean: float32 [N, L].
        log_variance: float32 [N, L].
    """
    return 0.5 * ops.sum(ops.exp(log_variance) + mean**2 - 1 - log_variance, axis=-1)
