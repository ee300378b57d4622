from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import tensorflow as tf

from tests.training.report.fake_models import fake_model, predictions, report_data
from training.evaluation.figure import tile
from training.report.sections.feature_visualization import (
    CHANNELS,
    draw_features,
    feature_visualization_section,
)


class Signature:
    """Shows for a channel an image of its number, and notes what it was asked for."""

    def __init__(self, **outputs: tf.TensorSpec) -> None:
        self.structured_outputs = outputs
        self.asked: list[int] = []

    def __call__(self, channel: np.ndarray, seed: np.ndarray) -> dict[str, tf.Tensor]:
        self.asked += channel.tolist()
        images = np.ones((len(channel), 28, 28, 1)) * channel[:, None, None, None]
        return {"images": tf.constant(images), "activation": tf.constant(channel)}


def test_it_shows_the_classes_and_the_last_layer_before_them(tmp_path: Path) -> None:
    names = ["conv1", "conv3", "logits"]
    signatures = {f"feature_visualization_{name}": Signature() for name in names}
    activations = Signature(
        conv1=tf.TensorSpec([None, 26, 26, 32]),
        conv3=tf.TensorSpec([None, 3, 3, 64]),
        logits=tf.TensorSpec([None, 10]),
    )
    model = replace(
        fake_model("cnn", probabilities=predictions(40, 20)),
        saved_model=SimpleNamespace(signatures={**signatures, "activations": activations}),
    )

    text = feature_visualization_section(report_data(tmp_path, model))

    assert "channels of `conv3`" in text
    assert signatures["feature_visualization_logits"].asked == list(range(10))
    assert signatures["feature_visualization_conv3"].asked == list(range(CHANNELS))
    assert signatures["feature_visualization_conv1"].asked == []
    assert (tmp_path / "figures" / "feature_visualization.png").exists()


def test_a_model_that_shows_nothing_has_no_section(tmp_path: Path) -> None:
    model = fake_model("cnn", probabilities=predictions(40, 20))

    assert feature_visualization_section(report_data(tmp_path, model)) is None


def test_the_classes_are_named_under_their_images() -> None:
    classes, channels = np.zeros((10, 28, 28)), np.ones((24, 28, 28))

    top, bottom = draw_features(classes, channels, "conv3").axes

    np.testing.assert_array_equal(top.images[0].get_array(), tile(classes, 10))
    np.testing.assert_array_equal(bottom.images[0].get_array(), tile(channels, 10))
    assert [label.get_text() for label in top.get_xticklabels()][:2] == ["T-shirt/top", "Trouser"]
