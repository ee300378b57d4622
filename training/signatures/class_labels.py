"""The class labels task: names of classes, for clients that show more than the top class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from training.signatures.signature import Signature, make_signature


def class_labels(class_names: Sequence[str]) -> Signature:
    """Returns the signature `class_labels`.

    Inputs: `class_index` int32 [N]. An index outside the classes fails the request with
    INVALID_ARGUMENT.
    Outputs: `label` string [N].

    Args:
        class_names: The labels, in the order of the logits.
    """

    def serve(class_index: tf.Tensor) -> dict[str, tf.Tensor]:
        inside = (class_index >= 0) & (class_index < len(class_names))
        expected = f"class_index must be 0 to {len(class_names) - 1}; received"
        # Out of range, gather fails on a CPU but silently returns empty text on a GPU.
        with tf.control_dependencies(
            [tf.debugging.Assert(tf.reduce_all(inside), [expected, class_index])]
        ):
            return {"label": tf.gather(tf.constant(class_names), class_index)}

    index_spec = tf.TensorSpec([None], tf.int32, name="class_index")
    example = {"class_index": np.zeros(1, np.int32)}
    return make_signature("class_labels", serve, [index_spec], example)
