from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.report.fake_models import codec, fake_model, report_data
from training.evaluation.figure import tile
from training.report.reported_model import ReportedModel
from training.report.sections.samples import (
    draw_samples,
    interpolate,
    sample,
    samples_section,
    slerp,
)


def decode(latent: np.ndarray) -> dict[str, np.ndarray]:
    """Puts the latent vector into the first pixels."""
    images = np.zeros((len(latent), 28, 28, 1), np.float32)
    images[:, 0, : latent.shape[1], 0] = latent
    return {"images": images}


def generate(seed: np.ndarray, temperature: np.ndarray) -> dict[str, np.ndarray]:
    latent = np.stack([np.cos(seed), np.sin(seed), 0 * seed], axis=1) * temperature[:, None]
    return {**decode(latent), "latent": latent.astype(np.float32)}


def generator(name: str = "vae") -> ReportedModel:
    return fake_model(name, like="vae", quality=-240, generate=generate, decode_latent=decode)


def classifier() -> ReportedModel:
    """Takes what has a negative first pixel for a coat, the rest for a dress."""

    def see(images: np.ndarray) -> dict[str, np.ndarray]:
        return {"class_index": np.where(images[:, 0, 0, 0] < 0, 4, 3).astype(np.int32)}

    return fake_model(
        "cnn", serving_default=see, activations=lambda images: {"dense": images[:, 0, :3, 0]}
    )


def test_halfway_between_two_directions_lies_between_them_on_the_sphere() -> None:
    first, last = np.float32([2, 0]), np.float32([0, 2])

    np.testing.assert_allclose(slerp(first, last, 0), first, atol=1e-6)
    np.testing.assert_allclose(slerp(first, last, 1), last, atol=1e-6)
    np.testing.assert_allclose(slerp(first, last, 0.5), [2**0.5, 2**0.5], rtol=1e-6)
    np.testing.assert_allclose(slerp(first, 2 * first, 0.5), 1.5 * first)


def test_the_ways_lead_from_seed_to_seed() -> None:
    images = interpolate(generator(), paths=2, steps=5).reshape(2, 5, 28, 28)

    ends = sample(generator(), np.arange(4)).reshape(2, 2, 28, 28)
    np.testing.assert_allclose(images[:, [0, -1]], ends, atol=1e-6)


def test_the_figure_holds_samples_above_ways() -> None:
    images = np.random.default_rng(0).random((20, 28, 28, 1))

    above, right_above, below, _ = draw_samples(
        {"vae": images, "vae_conv": images[::-1]}, {"vae": images[5:15], "vae_conv": images[:10]}
    ).axes

    assert [above.get_title(), right_above.get_title()] == ["vae", "vae_conv"]
    np.testing.assert_array_equal(above.images[0].get_array(), tile(images[..., 0], 10))
    np.testing.assert_array_equal(below.images[0].get_array(), tile(images[5:15, ..., 0], 10))


def test_the_classifier_sees_two_classes(tmp_path: Path) -> None:
    text = samples_section(report_data(tmp_path, classifier(), generator()))

    (row,) = (line for line in text.splitlines() if line.startswith("| `vae`"))
    cells = row.strip("| ").split(" | ")
    share = np.mean(np.cos(np.arange(40)) < 0)
    name, most = max(("Coat", share), ("Dress", 1 - share), key=lambda pair: pair[1])
    assert cells[1] == "evidence lower bound -240.0"
    assert float(cells[2]) > 1
    assert cells[3:] == ["2 of 10", "T-shirt/top, 0.0%", f"{name}, {most:.1%}"]


def test_without_the_classifier_there_are_figures_alone(tmp_path: Path) -> None:
    text = samples_section(report_data(tmp_path, generator()))

    assert "figures/samples.png" in text
    assert "Fréchet" not in text


@pytest.mark.parametrize("model", [codec("codec", 5), classifier()])
def test_it_needs_a_generator(model: ReportedModel, tmp_path: Path) -> None:
    assert samples_section(report_data(tmp_path, model)) is None
