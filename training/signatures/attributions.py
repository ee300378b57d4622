"""The attribution task: how much each value of a table or a sequence contributes to an output."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from training.signatures.predict_tensors import call_by_position, example_of, input_specs
from training.signatures.signature import Signature, make_signature

LARGEST = -1
Tensors = list[tf.Tensor]
Score = Callable[[Tensors], tf.Tensor]


def attribution_signatures(
    model: keras.Model, output: int = 0, suffix: str = "", steps: int = 64
) -> list[Signature]:
    """Returns the signatures `attribution_gradient_input` and `attribution_integrated_gradients`.

    Inputs: those of the model, by name; `output_index` int32 [N], -1 for the largest output. An
    index outside the outputs fails the request with INVALID_ARGUMENT.
    Outputs: the attribution of each float input, under its name and of its shape; `output_index`
    int32 [N], the explained output. Inputs that are text or whole numbers are held constant.
    The first signature multiplies each value by its gradient. The second integrates the gradient
    from zeros to the values (Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365) and also
    outputs `convergence_delta` float32 [N], the sum of the attributions minus the difference
    between the outputs for the values and for zeros.

    Args:
        model: A functional model with a float input.
        output: Position of the explained output, float [N, K].
        suffix: Appended to the names of the signatures, for models of several outputs.
        steps: Nodes of the quadrature of integrated gradients.
    """
    specs = input_specs(model)
    moving = [position for position, spec in enumerate(specs) if spec.dtype.is_floating]
    names = [specs[position].name for position in moving]
    call = call_by_position(model)

    def explain(
        attribute: Callable[[Score, Tensors], tuple[Tensors, dict[str, tf.Tensor]]],
        inputs: Sequence[tf.Tensor],
    ) -> dict[str, tf.Tensor]:
        *values, index = inputs
        index = _resolve(call(values)[output], index)

        def score(moved: Tensors) -> tf.Tensor:
            chosen = list(values)
            for position, tensor in zip(moving, moved, strict=True):
                chosen[position] = tensor
            return tf.gather(call(chosen)[output], index, batch_dims=1)

        attributions, more = attribute(score, [values[position] for position in moving])
        return {**dict(zip(names, attributions, strict=True)), **more, "output_index": index}

    def gradient_input(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return explain(_gradient_times_input, inputs)

    def integrated_gradients(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return explain(_integrate_from_zeros(steps), inputs)

    all_specs = [*specs, tf.TensorSpec([None], tf.int32, name="output_index")]
    example = {spec.name: example_of(spec) for spec in specs}
    example["output_index"] = np.array([LARGEST], np.int32)
    return [
        make_signature(f"attribution_{serve.__name__}{suffix}", serve, all_specs, example)
        for serve in (gradient_input, integrated_gradients)
    ]


def _gradients(score: Score, values: Tensors) -> Tensors:
    with tf.GradientTape() as tape:
        tape.watch(values)
        total = score(values)
    gradients: Tensors = tape.gradient(
        total, values, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    return gradients


def _gradient_times_input(score: Score, values: Tensors) -> tuple[Tensors, dict[str, tf.Tensor]]:
    gradients = _gradients(score, values)
    return [value * slope for value, slope in zip(values, gradients, strict=True)], {}


def _integrate_from_zeros(
    steps: int,
) -> Callable[[Score, Tensors], tuple[Tensors, dict[str, tf.Tensor]]]:
    nodes, weights = np.polynomial.legendre.leggauss(steps)  # On [-1, 1].

    def attribute(score: Score, values: Tensors) -> tuple[Tensors, dict[str, tf.Tensor]]:
        positions = tf.constant((nodes + 1) / 2, tf.float32)
        shares = tf.constant(weights / 2, tf.float32)

        def add(step: tf.Tensor, *totals: tf.Tensor) -> tuple[tf.Tensor, ...]:
            slopes = _gradients(score, [positions[step] * value for value in values])
            return step + 1, *(
                total + shares[step] * slope for total, slope in zip(totals, slopes, strict=True)
            )

        zeros = [tf.zeros_like(value) for value in values]
        loop = (tf.constant(0), *zeros)
        _, *means = tf.while_loop(lambda step, *_: step < steps, add, loop, parallel_iterations=1)
        attributions = [value * mean for value, mean in zip(values, means, strict=True)]
        sums = [tf.reduce_sum(each, axis=list(range(1, len(each.shape)))) for each in attributions]
        return attributions, {"convergence_delta": tf.add_n(sums) - (score(values) - score(zeros))}

    return attribute


def _resolve(outputs: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
    """Replaces -1 by the largest output, and fails if an index is outside the outputs."""
    count = outputs.shape[-1]
    inside = (index >= LARGEST) & (index < count)
    expected = f"output_index must be -1 (the largest output) or 0 to {count - 1}; received"
    # Out of range, gather fails on a CPU but silently returns zero on a GPU.
    with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(inside), [expected, index])]):
        largest = tf.argmax(outputs, axis=-1, output_type=tf.int32)
        return tf.where(index == LARGEST, largest, index)
