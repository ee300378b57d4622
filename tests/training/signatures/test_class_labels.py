"""The names of the classes come in the order of the logits."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from training.data.fashion_mnist import CLASS_NAMES
from training.signatures.class_labels import class_labels


def ask(*class_index: int) -> list[str]:
    answer = class_labels(CLASS_NAMES).function(np.array(class_index, np.int32))
    return [label.decode() for label in answer["label"].numpy()]


def test_each_index_has_its_name():
    assert ask(*range(10)) == list(CLASS_NAMES)
    assert ask(9, 0, 9) == ["Ankle boot", "T-shirt/top", "Ankle boot"]


@pytest.mark.parametrize("class_index", [-1, 10])
def test_an_index_outside_is_refused(class_index):
    with pytest.raises(tf.errors.InvalidArgumentError, match="class_index must be 0 to 9"):
        ask(class_index)
