"""The signatures that each kind of network exports."""

from __future__ import annotations

import keras

from training.architectures.codec import CODE_BITS
from training.architectures.flip_averaging import average_over_flip
from training.architectures.float16_storage import store_as_float16
from training.data.fashion_mnist import CLASS_NAMES
from training.data.text import WINDOW
from training.signatures.activations import activations
from training.signatures.class_labels import class_labels
from training.signatures.compress import compress, decompress
from training.signatures.feature_maps import feature_maps
from training.signatures.feature_visualization import feature_visualization
from training.signatures.generate import generate
from training.signatures.latent import decode_latent, encode_latent
from training.signatures.predict import predict, predict_bytes
from training.signatures.reconstruct import reconstruct
from training.signatures.saliency import (
    saliency_gradcam,
    saliency_gradient,
    saliency_integrated_gradients,
    saliency_smoothgrad,
)
from training.signatures.score import score
from training.signatures.signature import Signature
from training.signatures.text import generate_text, next_character, surprisal
from training.signatures.words import embed, nearest_words, neighbouring_words

PROMPT_LENGTH = WINDOW
"""Characters of a prompt that a language model reads, the last ones."""
GENERATED_LENGTH = 200
"""Characters with which it continues a prompt."""


def classifier_tasks(
    model: keras.Model, noisy_copies: int = 32, path_steps: int = 128
) -> list[Signature]:
    """Returns the signatures of any classifier from images to logits.

    Args:
        model: The classifier.
        noisy_copies: Noisy copies per image in SmoothGrad.
        path_steps: Steps per image in integrated gradients.
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
    flip_averaging: bool = False,
) -> list[Signature]:
    """Returns the signatures of a convolutional classifier.

    Args:
        model: The network.
        noisy_copies: Noisy copies per image in SmoothGrad.
        path_steps: Steps per image in integrated gradients.
        ascent_steps: Steps of gradient ascent per feature visualization.
        flip_averaging: Averages the logits over each image and its flip. Signatures that show the
            layers of the network use the image alone.
    """
    classifier = average_over_flip(model) if flip_averaging else model
    visualized = [*feature_maps(model), model.layers[-1]]
    return [
        *classifier_tasks(classifier, noisy_copies, path_steps),
        saliency_gradcam(model, classifier=classifier),
        activations(model),
        *(feature_visualization(model, layer.name, ascent_steps) for layer in visualized),
    ]


def autoencoder_tasks(model: keras.Model) -> list[Signature]:
    """Returns the signatures of an autoencoder with a floating-point code."""
    return _compression_tasks(model, bits=None)


def codec_tasks(model: keras.Model) -> list[Signature]:
    """Returns the signatures of an autoencoder with a quantized code."""
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


def text_tasks(model: keras.Model) -> list[Signature]:
    """Returns the signatures of a network that predicts the next character of a text."""
    return [
        next_character(model, PROMPT_LENGTH),
        generate_text(model, PROMPT_LENGTH, GENERATED_LENGTH),
        surprisal(model, WINDOW),
    ]


def word_tasks(model: keras.Model) -> list[Signature]:
    """Returns the signatures of word vectors."""
    return [
        embed(model, "serving_default"),
        embed(model, "embed"),
        nearest_words(model),
        neighbouring_words(model),
    ]


def adversarial_tasks(model: keras.Model) -> list[Signature]:
    """Returns the signatures of a generative adversarial network, stored as float16."""
    decoder, critic = (store_as_float16(model.get_layer(name)) for name in ("decoder", "critic"))
    return [score(critic), decode_latent(decoder), generate(decoder, critic)]


def _compression_tasks(model: keras.Model, bits: int | None) -> list[Signature]:
    return [
        reconstruct(model),
        compress(model.get_layer("encoder"), bits),
        decompress(model.get_layer("decoder"), bits),
    ]
