from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import tensorflow as tf

from tests.training.report.fake_models import fake_model, predictions, report_data
from training.report.model_cards import LIMITS, model_card
from training.report.reported_model import ReportedModel
from training.zoo import NETWORKS

IMAGES = tf.TensorSpec([None, 28, 28, 1], tf.float32)
SIGNATURES = {
    "serving_default": SimpleNamespace(
        structured_input_signature=((), {"images": IMAGES}),
        structured_outputs={
            "logits": tf.TensorSpec([None, 10], tf.float32),
            "label": tf.TensorSpec([None], tf.string),
        },
    ),
    "predict_bytes": SimpleNamespace(
        structured_input_signature=((), {"image_bytes": tf.TensorSpec([None], tf.string)}),
        structured_outputs={"label": tf.TensorSpec([None], tf.string)},
    ),
}


def with_signatures(model: ReportedModel) -> ReportedModel:
    loaded = SimpleNamespace(signatures=SIGNATURES, tensorflow_version="2.20.0")
    return replace(model, saved_model=loaded)


@pytest.fixture
def card(tmp_path: Path) -> str:
    """The card of a distilled classifier that is right in 30 of 40, wrong in the last of each."""
    model = fake_model("mimic", teacher="cnn_best", probabilities=predictions(40, 30), quality=0.75)
    return model_card(with_signatures(model), report_data(tmp_path).test, "test")


def test_it_says_what_was_measured(card: str) -> None:
    assert "on the 40 images of the test set" in card
    assert "| accuracy | 0.7500 |" in card
    assert "| expected calibration error | 0.070 |" in card
    assert "| recall of Shirt | 75.0% |" in card


def test_it_says_how_to_train_it_again(card: str) -> None:
    assert "python -m training distill mimic --teacher cnn_best --preset full\n" in card
    assert "Distilled from `cnn_best`." in card
    assert "| epochs | 7 |" in card
    assert "None" not in card


def test_it_lists_the_signatures_with_their_shapes(card: str) -> None:
    assert (
        "| `serving_default` | `images` float32 [N, 28, 28, 1] | `label` string [N], `logits` "
        "float32 [N, 10] |\n"
        "| `predict_bytes` | `image_bytes` string [N] | `label` string [N] |\n"
    ) in card


def test_it_says_where_it_ends_and_what_wrote_it(card: str) -> None:
    assert "It predicts one of its ten classes for every image" in card
    assert "Exported by TensorFlow 2.20.0; measured with Keras " in card


def test_every_task_of_the_zoo_has_its_limits() -> None:
    assert set(LIMITS) == {entry.task for entry in NETWORKS.values()}


@pytest.mark.parametrize(
    ("like", "limit"), [("codec", "Compression is lossy"), ("vae", "Its images are blurred")]
)
def test_other_tasks_have_other_limits_and_no_classes(
    like: str, limit: str, tmp_path: Path
) -> None:
    card = model_card(
        with_signatures(fake_model(like, like=like)), report_data(tmp_path).test, "test"
    )

    assert limit in card
    assert "It predicts one of" not in card
    assert "recall" not in card
