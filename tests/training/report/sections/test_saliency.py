from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.training.report.fake_models import fake_model, predictions, report_data
from training.report.sections.saliency import METHODS, draw_saliency, saliency_section


def explain(images: np.ndarray, class_index: np.ndarray) -> dict[str, np.ndarray]:
    assert (class_index == -1).all()
    return {"attribution": images[..., 0] - 128, "class_index": class_index}


def test_it_needs_all_methods(tmp_path: Path) -> None:
    able = fake_model(
        "mlp", probabilities=predictions(40, 30), saliency_gradient=explain, serving_default=explain
    )

    assert saliency_section(report_data(tmp_path, able)) is None


def test_it_explains_the_most_accurate_that_can(tmp_path: Path) -> None:
    explained = dict.fromkeys(METHODS, explain)
    models = [
        fake_model("weak", quality=0.5, probabilities=predictions(40, 20), **explained),
        fake_model("strong", quality=0.75, probabilities=predictions(40, 30), **explained),
        fake_model("mute", quality=1.0, probabilities=predictions(40, 40)),
    ]

    text = saliency_section(report_data(tmp_path, *models))

    assert "`strong`" in text
    assert (tmp_path / "figures" / "saliency.png").exists()


def test_a_classifier_without_mistakes_is_explained_too(tmp_path: Path) -> None:
    perfect = fake_model(
        "cnn", probabilities=predictions(40, 40), **dict.fromkeys(METHODS, explain)
    )

    assert saliency_section(report_data(tmp_path, perfect)) is not None


def test_every_map_stands_below_its_image() -> None:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (3, 28, 28))
    maps = {name: generator.standard_normal((3, 28, 28)) for name in ("gradient", "Grad-CAM")}

    figure = draw_saliency(images, ["Bag", "Coat", "Shirt"], maps)

    grid = np.reshape(np.array(figure.axes), (3, 3))
    assert [panel.get_title() for panel in grid[0]] == ["Bag", "Coat", "Shirt"]
    for row, shown in zip(grid, [images, *maps.values()], strict=True):
        for panel, image in zip(row, shown, strict=True):
            np.testing.assert_array_equal(panel.images[0].get_array(), image)
    assert [panel.get_ylabel() for panel in grid[1:, 0]] == list(maps)
    low, high = grid[1, 0].images[0].get_clim()
    assert low == -high  # So that white is zero.
