"""Which tasks the networks of a kind carry."""

from __future__ import annotations

import keras

from training.architectures.codec import CODE_BITS
from training.data.fashion_mnist import CLASS_NAMES
from training.signatures.activations import activations
from training.signatures.class_labels import class_labels
from training.signatures.compress import compress, decompress
from training.signatures.feature_visualization import feature_visualization
from training.signatures.generate import generate
from training.signatures.latent import decode_latent, encode_latent
from training.signatures.layers import feature_maps
from training.signatures.mirror_mean import mirror_mean
from training.signatures.predict import predict, predict_bytes
from training.signatures.reconstruct import reconstruct
from training.signatures.saliency import (
    saliency_gradcam,
    saliency_gradient,
    saliency_integrated_gradients,
    saliency_smoothgrad,
)
from training.signatures.signature import Signature


def classifier_tasks(
    model: keras.Model, noisy_copies: int = 32, path_steps: int = 128
) -> list[Signature]:
    """Returns the signatures of any classifier from images to logits.

    Args:
        model: The classifier.
        noisy_copies: Over which SmoothGrad averages.
        path_steps: Along which the gradients are integrated.
    """
    return [
        predict(model, CLASS_NAMES),
        predict_bytes(model, CLASS_NAMES),
        class_labels(CLASS_NAMES),
        saliency_gradient(model),
        saliency_smoothgrad(model, noisy_copies),
        saliency_integrated_gradients(model, path_steps),
    ]


def convolutional_tasks(
    model: keras.Model,
    noisy_copies: int = 32,
    path_steps: int = 128,
    ascent_steps: int = 64,
    mirrored: bool = False,
) -> list[Signature]:
    """Returns the signatures of a classifier with convolutions.

    Args:
        model: The network.
        noisy_copies: Over which SmoothGrad averages.
        path_steps: Along which the gradients are integrated.
        ascent_steps: Of each feature visualization.
        mirrored: Whether the classifier is the network's mean over an image and its mirror image.
            What shows the network's layers shows them for the image itself.
    """
    classifier = mirror_mean(model) if mirrored else model
    visualized = [*feature_maps(model), model.layers[-1]]
    return [
        *classifier_tasks(classifier, noisy_copies, path_steps),
        saliency_gradcam(model, classifier=classifier),
        activations(model),
        *(feature_visualization(model, layer.name, ascent_steps) for layer in visualized),
    ]


def autoencoder_tasks(model: keras.Model) -> list[Signature]:
    """Returns the signatures of an autoencoder whose code is floating-point numbers."""
    return _compression_tasks(model, bits=None)


def codec_tasks(model: keras.Model) -> list[Signature]:
    """Returns the signatures of an autoencoder whose code is bytes."""
    return _compression_tasks(model, CODE_BITS)


def generator_tasks(model: keras.Model) -> list[Signature]:
    """Returns the signatures of a variational autoencoder."""
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    return [
        reconstruct(model),
        encode_latent(encoder),
        decode_latent(decoder),
        generate(decoder),
    ]


def _compression_tasks(model: keras.Model, bits: int | None) -> list[Signature]:
    return [
        reconstruct(model),
        compress(model.get_layer("encoder"), bits),
        decompress(model.get_layer("decoder"), bits),
    ]
