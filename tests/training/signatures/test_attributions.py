"""Attributions of linear models are known exactly; others must be complete."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training.keras_models import models
from training.keras_models.rebuilding import take_off_head
from training.signatures.attributions import attribution_signatures

ONE = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
TWO = np.random.default_rng(1).normal(size=(4, 4)).astype(np.float32)


def call(signature: object, **inputs: object) -> dict[str, np.ndarray]:
    tensors = {name: tf.constant(values) for name, values in inputs.items()}
    function = signature.function.get_concrete_function()
    return {name: values.numpy() for name, values in function(**tensors).items()}


@pytest.mark.parametrize("position", [0, 1])
def test_the_shares_of_a_linear_model_are_weight_times_value(position: int) -> None:
    model = models.two_inputs()
    weights, _ = model.get_layer("sum").get_weights()
    index = np.array([0, 1, -1, -1], np.int32)
    answer = call(attribution_signatures(model)[position], one=ONE, two=TWO, output_index=index)
    outputs = model([ONE, TWO]).numpy()
    chosen = np.where(index < 0, outputs.argmax(axis=1), index)
    np.testing.assert_array_equal(answer["output_index"], chosen)
    np.testing.assert_allclose(answer["one"], ONE * weights[:3].T[chosen], atol=1e-5)
    np.testing.assert_allclose(answer["two"], TWO * weights[3:].T[chosen], atol=1e-5)
    if position == 1:
        np.testing.assert_allclose(answer["convergence_delta"], 0, atol=1e-5)


def test_the_shares_of_a_sequence_add_up_to_the_difference_of_logits() -> None:
    model = models.recurrent()
    functional = keras.Model(model.inputs[0], model.outputs[0])
    logits = take_off_head(functional)
    values = np.random.default_rng(2).normal(size=(3, 10, 3)).astype(np.float32)
    np.testing.assert_allclose(keras.ops.softmax(logits(values)), functional(values), atol=1e-6)
    index = np.array([0, 1, 0], np.int32)
    signature = attribution_signatures(logits)[1]
    name = logits.inputs[0].name
    answer = call(signature, **{name: values}, output_index=index)
    ends = logits(values).numpy() - logits(np.zeros_like(values)).numpy()
    expected = ends[np.arange(3), index]
    np.testing.assert_allclose(answer[name].sum(axis=(1, 2)), expected, atol=1e-3)
    np.testing.assert_allclose(answer["convergence_delta"], 0, atol=1e-3)


def test_whole_numbers_beside_floats_are_held_constant() -> None:
    price, kind = keras.Input((1,), name="price"), keras.Input((1,), dtype="int32", name="kind")
    embedded = keras.layers.Flatten()(keras.layers.Embedding(3, 1)(kind))
    model = keras.Model([price, kind], price * embedded)
    inputs = {"price": np.array([[2.0]], np.float32), "kind": np.array([[1]], np.int32)}
    index = np.zeros(1, np.int32)
    answer = call(attribution_signatures(model)[0], **inputs, output_index=index)
    assert set(answer) == {"price", "output_index"}
    np.testing.assert_allclose(answer["price"], model([*inputs.values()]), atol=1e-6)


def test_an_output_that_is_not_there_is_refused() -> None:
    signature = attribution_signatures(models.two_inputs())[0]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"-1 .* or 0 to 1; received"):
        call(signature, one=ONE[:1], two=TWO[:1], output_index=np.array([2], np.int32))
