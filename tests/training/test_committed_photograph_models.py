"""The repository's classifier of photographs agrees with its original, without PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.training.exporting.test_warmup import read_warmup_requests
from training.exporting.export import CARD_PATH
from training.exporting.repository import latest_version
from training.exporting.session import SessionModel
from training.porting.agreement import measure_agreement
from training.porting.photographs import PHOTOGRAPHS, as_images, read_photographs
from training.porting.port import LOGITS_PATH, read_port

ROOT = Path(__file__).parents[2]
VERSION = latest_version(ROOT / "models", "efficientnet_lite0")
FILES = read_photographs(ROOT / PHOTOGRAPHS)
LAYERS = ("stage5_block3_add", "logits")


@pytest.fixture(scope="module")
def model() -> Iterator[SessionModel]:
    with SessionModel(VERSION) as loaded:
        yield loaded


@pytest.fixture(scope="module")
def cat() -> np.ndarray:
    return as_images([FILES["cat"]], 224)


def test_its_logits_are_the_originals_but_for_rounding(model: SessionModel) -> None:
    """The originals were computed by PyTorch, by `python -m training port`."""
    with np.load(VERSION / LOGITS_PATH) as stored:
        expected = np.stack([stored[name] for name in FILES])

    answer = model.run("predict_bytes", image_bytes=list(FILES.values()))

    agreement = measure_agreement(answer["logits"], expected)
    assert agreement.top1 == 1
    assert agreement.top5 >= 0.96
    assert agreement.difference < 0.1


def test_the_record_says_how_far_it_agrees() -> None:
    record = read_port(VERSION)

    assert record.difference < 1e-4
    assert record.agreement.images == 12 * len(FILES)
    assert record.agreement.top1 >= 0.98
    assert record.agreement.top5 >= 0.98
    assert record.agreement.difference < 0.1


def test_the_cat_is_a_cat_and_the_espresso_an_espresso(model: SessionModel) -> None:
    labels = model.run("predict_bytes", image_bytes=[FILES["cat"], FILES["coffee"]])["label"]

    assert labels[0].decode() in {"Egyptian cat", "tabby", "tiger cat"}
    assert labels[1] == b"espresso"


def test_shares_of_the_logit_are_complete(model: SessionModel, cat: np.ndarray) -> None:
    answer = model.run("saliency_integrated_gradients", images=cat, class_index=[-1])

    assert abs(answer["convergence_delta"][0]) < 0.1 * answer["attribution"].sum()


def test_the_cats_face_is_why_it_is_a_cat(model: SessionModel, cat: np.ndarray) -> None:
    answer = model.run("saliency_gradcam", images=cat, class_index=[-1])

    heat = answer["attribution"][0]
    assert heat[80:180, 50:170].mean() > 2 * heat[:, 190:].mean()


def test_every_signature_has_its_warm_up_request(model: SessionModel) -> None:
    requests = read_warmup_requests(VERSION)

    assert set(requests) == set(model.signatures)
    assert {f"feature_visualization_{layer}" for layer in LAYERS} < set(requests)


def test_a_feature_visualization_is_coloured_and_not_grey_or_neon(model: SessionModel) -> None:
    images = model.run("feature_visualization_stage5_block3_add", channel=[5], seed=[0])["images"]

    red, _, blue = np.moveaxis(images[0], -1, 0)
    assert np.abs(red - blue).mean() > 5
    assert 0.2 < np.corrcoef(red.ravel(), blue.ravel())[0, 1] < 0.99


def test_it_is_small_and_its_card_says_what_was_not_measured() -> None:
    assert sum(path.stat().st_size for path in VERSION.rglob("*") if path.is_file()) < 12e6
    card = (VERSION / CARD_PATH).read_text()
    assert "This card is of version 1" in card
    assert "The accuracy on ImageNet was not measured" in card
