from __future__ import annotations

import math

import numpy as np
import pytest

from training.evaluation.rate_distortion import (
    RatePoint,
    jpeg_curve,
    psnr,
    psnr_at,
    restore_within,
    webp_curve,
)

LADDER = [RatePoint(100, 50, 20.0), RatePoint(200, 150, 30.0)]


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Twelve smooth pictures, uint8 [12, 28, 28]."""
    axis = np.linspace(0, np.pi, 28)
    waves = [np.outer(np.sin(k % 4 * axis + k), np.cos(k % 3 * axis)) for k in range(12)]
    return np.round(127.5 * (1 + np.stack(waves))).astype(np.uint8)


def test_psnr_is_what_the_definition_says() -> None:
    images = np.zeros((2, 3), np.uint8)

    assert psnr(images, images + 255) == 0
    assert psnr(images, np.float32([[2, 2, 2], [0, 0, 0]])) == pytest.approx(
        20 * math.log10(255) - 10 * math.log10(2)
    )
    assert psnr(images, images) == math.inf


@pytest.mark.parametrize("measure", [jpeg_curve, webp_curve])
def test_more_bytes_buy_more_quality(measure: object, pictures: np.ndarray) -> None:
    curve = measure(pictures)

    sizes = [point.file_bytes for point in curve]
    assert sizes == sorted(sizes)
    assert curve[-1].psnr > curve[0].psnr + 5


def test_a_jpeg_file_is_mostly_tables_and_headers(pictures: np.ndarray) -> None:
    for point in jpeg_curve(pictures):
        # 16 blocks; the smallest take a DC symbol and an end of block of a bit or more each.
        assert 4 <= point.payload_bytes < point.file_bytes - 150


def test_webp_headers_are_30_bytes(pictures: np.ndarray) -> None:
    for point in webp_curve(pictures):
        assert point.file_bytes - point.payload_bytes == pytest.approx(30)


def test_between_two_settings_the_curve_is_a_line() -> None:
    assert psnr_at(LADDER, 150, headers=True) == 25
    assert psnr_at(LADDER, 75, headers=False) == 22.5


def test_a_format_that_cannot_be_that_small_has_no_ratio_there() -> None:
    assert psnr_at(LADDER, 99, headers=True) is None
    assert psnr_at(LADDER, 99, headers=False) == 24.9


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP"])
def test_the_best_files_that_are_small_enough(file_format: str, pictures: np.ndarray) -> None:
    limit = 150

    point, restored = restore_within(pictures, file_format, limit)

    assert limit - 30 < point.payload_bytes <= limit
    assert point.psnr == psnr(pictures, restored)
    assert restored.shape == pictures.shape


def test_files_that_cannot_be_so_small(pictures: np.ndarray) -> None:
    assert restore_within(pictures, "WEBP", 5) is None
