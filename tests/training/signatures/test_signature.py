from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.training.signatures.conftest import Serve
from training.signatures.signature import Signature, make_signature


def double(images: tf.Tensor, factor: tf.Tensor) -> dict[str, tf.Tensor]:
    return {"images": images * factor[:, None, None]}


@pytest.fixture(scope="module")
def signature() -> Signature:
    specs = [
        tf.TensorSpec([None, 2, 3], tf.float32, name="images"),
        tf.TensorSpec([None], tf.float32, name="factor"),
    ]
    example = {"images": np.zeros((1, 2, 3), np.float32), "factor": np.ones(1, np.float32)}
    return make_signature("serving_default", double, specs, example)


def test_inputs_are_named_and_typed_as_the_specs_say(signature: Signature) -> None:
    (specs, _) = signature.function.get_concrete_function().structured_input_signature

    assert specs == (
        tf.TensorSpec([None, 2, 3], tf.float32, name="images"),
        tf.TensorSpec([None], tf.float32, name="factor"),
    )


def test_the_message_names_the_input_and_both_shapes(signature: Signature, serve: Serve) -> None:
    model = serve([signature])
    run = model.unchecked("serving_default")

    wrong = {"images": np.ones((1, 2), np.float32), "factor": np.ones(1, np.float32)}
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"images.* \[1,2\] .*\[\?,2,3\]"):
        run(*(wrong[name] for name in model.signatures["serving_default"].inputs))


def test_the_right_shape_is_served(signature: Signature, serve: Serve) -> None:
    images = np.ones((2, 2, 3), np.float32)

    outputs = serve([signature]).run("serving_default", images=images, factor=[3, 4])

    np.testing.assert_array_equal(outputs["images"][:, 0, 0], [3, 4])
