"""The committed generators do what they are for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.exporting.repository import latest_version
from training.exporting.session import SessionModel

MODELS = Path(__file__).parents[2] / "models"


@pytest.mark.parametrize("name", ["vae", "vae_conv"])
def test_samples_are_of_all_ten_classes_by_the_classifier(name: str) -> None:
    with SessionModel(latest_version(MODELS, name)) as generator:
        outputs = generator.run(
            "generate", seed=np.arange(1_000), temperature=np.ones(1_000, np.float32)
        )
    with SessionModel(latest_version(MODELS, "cnn")) as classifier:
        classes = classifier.run("serving_default", images=outputs["images"])["class_index"]

    assert np.bincount(classes, minlength=10).min() >= 5
