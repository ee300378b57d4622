from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.report.fake_models import codec, fake_model, report_data
from training.evaluation.figure import tile
from training.evaluation.rate_distortion import psnr
from training.report.sections.reconstructions import (
    Row,
    compare,
    draw_rows,
    reconstructions_section,
)


@pytest.fixture
def plain() -> np.ndarray:
    """Five plain grey images, uint8 [5, 28, 28], of which few bytes are left as a file."""
    greys = np.array([0, 50, 100, 150, 250], np.uint8)
    return greys[:, None, None] * np.ones((1, 28, 28), np.uint8)


def floats(name: str) -> object:
    """An autoencoder whose code of two floats is the image's mean, twice."""
    return fake_model(
        name,
        like="autoencoder",
        compress=lambda images: {"code": images.mean(axis=(1, 2))[:, [0, 0]]},
        decompress=lambda code: {"images": np.tile(code[:, :1, None, None], (1, 28, 28, 1))},
    )


def test_models_come_by_the_size_of_their_codes(plain: np.ndarray) -> None:
    rows = compare([floats("autoencoder"), codec("codec", 5)], plain)

    titles = [row.title for row in rows if not row.title.startswith(("JPEG", "WebP"))]
    assert titles[0].startswith("codec\n4 bytes, ")
    assert titles[1].startswith("autoencoder\n8 bytes (2 floats), ")
    assert titles[0].endswith(f", {psnr(plain, rows[0].images):.1f} dB")
    np.testing.assert_array_equal(rows[0].images[:, 0, 0], [0, 51, 102, 153, 255])


def test_a_format_stands_beside_a_codec_only_if_it_can_be_so_small(plain: np.ndarray) -> None:
    four_bytes, many = (
        codec("codec", 5),
        fake_model(
            "codec_256",
            like="codec",
            compress=lambda images: {"code": np.zeros((len(images), 256), np.uint8)},
            decompress=lambda code: {"images": np.zeros((len(code), 28, 28, 1), np.float32)},
        ),
    )

    small, large = compare([four_bytes], plain), compare([many], plain)

    assert [row.title.split("\n")[0] for row in small] == ["codec"]
    assert [row.title.split("\n")[0] for row in large] == ["codec_256", "JPEG", "WebP"]
    assert np.abs(large[1].images - plain.astype(float)).max() < 5


def test_the_figure_holds_the_rows(plain: np.ndarray) -> None:
    figure = draw_rows(plain, [Row("codec", 255 - plain)])

    assert [panel.get_ylabel() for panel in figure.axes] == ["original", "codec"]
    for panel, images in zip(figure.axes, (plain, 255 - plain), strict=True):
        np.testing.assert_array_equal(panel.images[0].get_array(), tile(images, 5))


def test_it_needs_a_model_that_compresses(tmp_path: Path) -> None:
    assert reconstructions_section(report_data(tmp_path, fake_model("cnn"))) is None
    assert reconstructions_section(report_data(tmp_path, codec("codec", 5))) is not None
    assert (tmp_path / "figures" / "reconstructions.png").exists()
