"""The evidence lower bound of a variational autoencoder, in nats per image.

It is the log-likelihood of an image given its latent vector, minus the KL divergence of the
encoder's distribution from the prior (Kingma and Welling 2013, https://arxiv.org/abs/1312.6114).
"""

from __future__ import annotations

import keras
from keras import ops


def log_likelihood(images: keras.KerasTensor, decoded: keras.KerasTensor) -> keras.KerasTensor:
    """Returns log p(image | latent) for Bernoulli-distributed pixels, float32 [N].

    As in the paper, a grey level counts as the probability that its pixel is on.

    Args:
        images: float32 [N, H, W, C], 0 to 255.
        decoded: 255 times the decoder's probabilities, float32 [N, H, W, C].
    """
    return -ops.sum(ops.binary_crossentropy(images / 255, decoded / 255), axis=(1, 2, 3))


def kl_divergence(mean: keras.KerasTensor, log_variance: keras.KerasTensor) -> keras.KerasTensor:
    """Returns the KL divergence of diagonal normal distributions from the standard one, [N].

    Args:
        mean: float32 [N, L].
        log_variance: float32 [N, L].
    """
    return 0.5 * ops.sum(ops.exp(log_variance) + mean**2 - 1 - log_variance, axis=-1)
