"""Runs a signature eagerly, with numpy on both sides."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from training.signatures.signature import Signature


def call(signature: Signature, **inputs: object) -> dict[str, np.ndarray]:
    """Returns the outputs of a signature for inputs by name."""
    tensors = {name: tf.constant(values) for name, values in inputs.items()}
    return {name: tensor.numpy() for name, tensor in signature.function(**tensors).items()}
