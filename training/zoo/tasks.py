"""Which tasks the networks of a kind carry."""

from __future__ import annotations

import keras
import tensorflow as tf

from training.data import CLASS_NAMES
from training.signatures.class_labels import class_labels
from training.signatures.compress import compress, decompress
from training.signatures.generate import generate
from training.signatures.latent import decode_latent, encode_latent
from training.signatures.predict import predict, predict_bytes
from training.signatures.reconstruct import reconstruct
from training.signatures.saliency import saliency_gradient
from training.signatures.signature import Signature


def classifier_tasks(model: keras.Model) -> list[Signature]:
    """Returns the signatures of any classifier from images to logits."""
    return [
        predict(model, CLASS_NAMES),
        predict_bytes(model, CLASS_NAMES),
        class_labels(CLASS_NAMES),
        saliency_gradient(model),
    ]


def convolutional_tasks(model: keras.Model) -> list[Signature]:
    """Returns the signatures of a classifier with convolutions."""
    return classifier_tasks(model)


def autoencoder_tasks(model: keras.Model) -> list[Signature]:
    """Returns the signatures of an autoencoder whose code is floating-point numbers."""
    return _compression_tasks(model, tf.float32)


def codec_tasks(model: keras.Model) -> list[Signature]:
    """Returns the signatures of an autoencoder whose code is bytes."""
    return _compression_tasks(model, tf.uint8)


def generator_tasks(model: keras.Model) -> list[Signature]:
    """Returns the signatures of a variational autoencoder."""
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    return [
        reconstruct(model),
        encode_latent(encoder),
        decode_latent(decoder),
        generate(decoder),
    ]


def _compression_tasks(model: keras.Model, code_dtype: tf.DType) -> list[Signature]:
    return [
        reconstruct(model),
        compress(model.get_layer("encoder"), code_dtype),
        decompress(model.get_layer("decoder"), code_dtype),
    ]
