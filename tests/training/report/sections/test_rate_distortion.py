from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.training.report.fake_models import codec, fake_model, report_data
from training.evaluation.rate_distortion import RatePoint, psnr
from training.report.sections.rate_distortion import (
    CodePoint,
    draw_rate_distortion,
    measure_code,
    rate_distortion_section,
)

CURVES = {
    "JPEG": [RatePoint(200, 30, 18.0), RatePoint(300, 130, 25.0)],
    "WebP": [RatePoint(100, 70, 21.0), RatePoint(250, 220, 36.0)],
}
POINTS = [
    CodePoint("codec", 32, True, 22.4),
    CodePoint("codec_64", 64, True, 24.0),
    CodePoint("autoencoder", 128, False, 20.6),
]


def test_a_code_is_measured_by_its_bytes_and_what_it_keeps() -> None:
    images = np.full((3, 28, 28), 60, np.uint8)

    point = measure_code(codec("codec", 5), images)

    assert (point.name, point.size, point.quantized) == ("codec", 4, True)
    assert point.psnr == psnr(images, np.full_like(images, 51))


def test_the_panels_differ_in_what_they_count() -> None:
    counted, payload = draw_rate_distortion(POINTS, CURVES).axes

    for panel, sizes in ((counted, [200, 300]), (payload, [30, 130])):
        lines = {line.get_label(): line for line in panel.lines}
        assert list(lines["JPEG"].get_xdata()) == sizes
        assert list(lines["JPEG"].get_ydata()) == [18.0, 25.0]
        # Floats are no codec, and no part of its line.
        assert lines["codec"].get_xydata().tolist() == [[32, 22.4], [64, 24.0]]
        assert {text.get_text() for text in panel.texts} == {point.name for point in POINTS}


def test_the_table_reads_the_formats_at_the_size_of_the_code(tmp_path: Path) -> None:
    text = rate_distortion_section(report_data(tmp_path, codec("codec", 5)))

    (row,) = (line for line in text.splitlines() if line.startswith("| `codec`"))
    cells = row.strip("| ").split(" | ")
    assert cells[1] == "4"
    assert cells[3:] == ["not possible"] * 4  # No file of noise has four bytes.
    assert (tmp_path / "figures" / "rate_distortion.png").exists()


def test_it_needs_a_model_that_compresses(tmp_path: Path) -> None:
    assert rate_distortion_section(report_data(tmp_path, fake_model("cnn"))) is None
