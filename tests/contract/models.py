"""The models that the contract is tested on: TensorFlow Serving's own half_plus_two, TF1 and TF2.

`python -m tests.contract.models FOLDER` writes them with a config file, for a real server to serve.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

CONFIG = """
model_config_list {{
  config {{
    name: "half_plus_two" base_path: "{folder}/half_plus_two" model_platform: "tensorflow"
    model_version_policy {{ all {{}} }}
    version_labels {{ key: "stable" value: 1 }}
  }}
  config {{
    name: "half_plus_two_tf2" base_path: "{folder}/half_plus_two_tf2" model_platform: "tensorflow"
  }}
}}
"""


def export_tf1(folder: Path, constant: float = 2.0) -> None:
    """Write a SavedModel of sessions and placeholders, whose examples share one placeholder."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        serialized = v1.placeholder(tf.string, name="tf_example")
        parsed = tf.io.parse_example(
            serialized,
            {
                "x": tf.io.FixedLenFeature([1], tf.float32),
                "x2": tf.io.FixedLenFeature([1], tf.float32, [0.0]),
            },
        )
        half = v1.get_variable("a", initializer=0.5, use_resource=False)
        x = tf.identity(parsed["x"], name="x")
        y = tf.add(half * x, constant, name="y")
        y3 = half * parsed["x2"] + 3.0
        labels = tf.strings.as_string(tf.cast(x, tf.int64))
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder(str(folder))
        info = v1.saved_model.build_tensor_info

        def signature(kind: str, inputs: dict, outputs: dict) -> object:
            return v1.saved_model.build_signature_def(
                {name: info(tensor) for name, tensor in inputs.items()},
                {name: info(tensor) for name, tensor in outputs.items()},
                f"tensorflow/serving/{kind}",
            )

        examples = {"inputs": serialized}
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            {
                "serving_default": signature("predict", {"x": x}, {"y": y}),
                "classify_x_to_y": signature(
                    "classify", examples, {"classes": labels, "scores": y}
                ),
                "classify_labels": signature("classify", examples, {"classes": labels}),
                "classify_scores": signature("classify", examples, {"scores": y}),
                "regress_x_to_y": signature("regress", examples, {"outputs": y}),
                "regress_x2_to_y3": signature("regress", examples, {"outputs": y3}),
            },
        )
        builder.save()


HALF = [tf.float16, tf.bfloat16]
NOT_HALF = [
    *(tf.bool, tf.string, tf.float32, tf.float64),
    *(tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint16, tf.uint32, tf.uint64),
]


def echo(dtypes: Sequence[tf.DType]) -> Any:
    """Return a function that returns one tensor of each dtype, under the dtype's name."""

    def identity(**tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        return {name: tf.identity(tensor) for name, tensor in tensors.items()}

    specs = {dtype.name: tf.TensorSpec([None], dtype, name=dtype.name) for dtype in dtypes}
    return tf.function(identity).get_concrete_function(**specs)


class HalfPlusTwo(tf.Module):
    """The same as TensorFlow 2 exports it: every method_name is predict."""

    def __init__(self) -> None:
        super().__init__()
        self.half = tf.Variable(0.5)

    @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32, name="x")])
    def predict(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": self.half * x + 2.0, "x_bytes": tf.strings.as_string(x)}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.float32, name="a"),
            tf.TensorSpec([None], tf.int32, name="b"),
        ]
    )
    def add(self, a: tf.Tensor, b: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"sum": a + tf.cast(b, tf.float32)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def scale(
        self,
        x: tf.Tensor,
        factor: tf.Tensor = tf.constant(3.0),  # noqa: B008 (a default of the signature)
    ) -> dict[str, tf.Tensor]:
        return {"y": x * factor}

    @tf.function(input_signature=[tf.TensorSpec([1], tf.int64, name="steps")])
    def count(self, steps: tf.Tensor) -> dict[str, tf.Tensor]:
        """Take as long as the client says: some ten microseconds a step."""
        counted = tf.while_loop(
            lambda i: i < steps[0], lambda i: (i + 1,), (tf.constant(0, tf.int64),)
        )
        return {"steps": tf.reshape(counted[0], (1,))}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="prompt"),
            tf.TensorSpec([None], tf.int64, name="seed"),
            tf.TensorSpec([None], tf.float32, name="temperature"),
        ]
    )
    def generate_text(
        self, prompt: tf.Tensor, seed: tf.Tensor, temperature: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Continue with letters that the seed draws, the first ones where it is cold."""

        def draw(row: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> tf.Tensor:
            text, number, heat = row
            seeds = tf.stack([number, tf.cast(tf.strings.length(text), tf.int64)])
            drawn = tf.random.stateless_uniform([8], seeds)
            return tf.cast(heat * drawn * 26, tf.int32) + ord("à")

        rows = (prompt, seed, temperature)
        letters = tf.map_fn(draw, rows, fn_output_signature=tf.TensorSpec([8], tf.int32))
        return {"text": tf.strings.unicode_encode(letters, "UTF-8")}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def regress(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(inputs, {"x": tf.io.FixedLenFeature([1], tf.float32)})
        return {"outputs": self.half * parsed["x"] + 2.0}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def classify(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(inputs, {"x": tf.io.FixedLenFeature([1], tf.float32)})
        return {"scores": self.half * parsed["x"]}


def export_tf2(folder: Path) -> None:
    """Write a SavedModel of functions."""
    module = HalfPlusTwo()
    signatures = {
        "serving_default": module.predict,
        "add": module.add,
        "count": module.count,
        "scale": module.scale,
        "echo": echo(NOT_HALF),
        "echo_half": echo(HALF),
        "generate_text": module.generate_text,
        "regress": module.regress,
        "classify": module.classify,
    }
    tf.saved_model.save(module, str(folder), signatures=signatures)


def write_models(folder: Path) -> Path:
    """Write two versions of the one, one of the other, and return the config file."""
    export_tf1(folder / "half_plus_two" / "1")
    export_tf1(folder / "half_plus_two" / "2", constant=3.0)
    export_tf2(folder / "half_plus_two_tf2" / "1")
    config = folder / "models.config"
    config.write_text(CONFIG.format(folder=folder))
    return config


if __name__ == "__main__":
    write_models(Path(sys.argv[1]).resolve())
