"""What the stand-ins of the other tests stand for: the repository's own models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from training.data.fashion_mnist import Split
from training.report.report_data import ReportData
from training.report.reported_model import report_models
from training.report.sections.rate_distortion import rate_distortion_section
from training.report.sections.reconstructions import reconstructions_section
from training.report.sections.samples import samples_section
from training.zoo import find_network

MODELS = Path(__file__).parents[4] / "models"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    """A classifier, a codec and a generator on noise."""
    images = np.random.default_rng(0).integers(0, 256, (80, 28, 28), dtype=np.uint8)
    noise = Split(images, np.arange(80, dtype=np.uint8) % 10)
    networks = [find_network(name) for name in ("cnn", "codec", "vae")]
    models = report_models(MODELS, networks, noise, Console(quiet=True))
    return ReportData(models, noise, tmp_path_factory.mktemp("models"))


def test_the_codec_is_measured_in_bytes(data: ReportData) -> None:
    assert "| `codec` | 32 |" in rate_distortion_section(data)
    assert reconstructions_section(data) is not None


def test_the_samples_look_like_clothes_and_not_like_noise(data: ReportData) -> None:
    text = samples_section(data)

    (row,) = (line for line in text.splitlines() if line.startswith("| `vae`"))
    *_, distance, shown, _, _ = row.strip("| ").split(" | ")
    assert float(distance) > 100  # The test set is noise here.
    assert int(shown.removesuffix(" of 10")) >= 5
