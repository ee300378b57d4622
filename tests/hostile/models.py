"""Writes two models beside the committed ones: `python -m tests.hostile.models FOLDER`.

`half_plus_two` takes examples; `many` has as many outputs as a client needs for thousands of
choices of them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import tensorflow as tf

from tests.contract.models import export_tf1

OUTPUTS = 12


class Many(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def add(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {f"plus_{number}": x + number for number in range(OUTPUTS)}


def main(folder: Path) -> None:
    export_tf1(folder / "half_plus_two" / "1")
    many = Many()
    tf.saved_model.save(many, str(folder / "many" / "1"), signatures=many.add)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
