"""The section on rate and distortion: codecs compared with JPEG and WebP at equal size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator, ScalarFormatter

from training.evaluation.figure import COLOURS, MUTED, new_figure, show_grid
from training.evaluation.rate_distortion import RatePoint, jpeg_curve, psnr, psnr_at, webp_curve
from training.report.markdown import markdown_table
from training.report.report_data import ReportData
from training.report.reported_model import ReportedModel, as_inputs

IMAGES = 1_000

Curves = Mapping[str, list[RatePoint]]


@dataclass(frozen=True)
class CodePoint:
    """The size and quality of a model's codes.

    Attributes:
        name: Name of the model.
        size: Bytes per image.
        quantized: True for codes of bytes, False for codes of floats.
        psnr: Peak signal-to-noise ratio of all images together, in decibels.
    """

    name: str
    size: int
    quantized: bool
    psnr: float


def rate_distortion_section(data: ReportData) -> str | None:
    """Returns the quality of decompressed images by their size in bytes."""
    models = data.with_signatures("compress", "decompress")
    if not models:
        return None
    images = data.test.images[:IMAGES].astype(np.uint8)
    points = sorted((measure_code(model, images) for model in models), key=lambda p: p.size)
    curves = {"JPEG": jpeg_curve(images), "WebP": webp_curve(images)}
    figure_link = data.add_figure(
        "rate_distortion",
        draw_rate_distortion(points, curves),
        "Peak signal-to-noise ratio by bytes per image",
    )
    return f"""\
## Rate and distortion

{figure_link}

The first {len(images):,} test images. Left: whole files. Right: without headers and tables, which a
receiver could know in advance; codes have none. The table gives decibels, with JPEG and WebP
interpolated at the size of the code:

{_table(points, curves)}"""


def measure_code(model: ReportedModel, images: npt.NDArray[np.uint8]) -> CodePoint:
    """Measures the codes of images, uint8 [N, H, W]."""
    code = model.run("compress", "code", images=as_inputs(images))
    restored = model.run("decompress", "images", code=code)[..., 0]
    return CodePoint(model.name, code[0].nbytes, code.dtype == np.uint8, psnr(images, restored))


def draw_rate_distortion(points: Sequence[CodePoint], curves: Curves) -> Figure:
    """Draws two panels: with and without headers.

    Args:
        points: Codes, in order of size.
        curves: Measured settings of other formats, by their names.
    """
    figure, axes = new_figure(11, 4.8, 1, 2, sharey=True, sharex=True)
    for panel, headers in zip(axes[0], (True, False), strict=True):
        for (name, curve), colour in zip(curves.items(), COLOURS[1:], strict=False):
            sizes = [point.file_bytes if headers else point.payload_bytes for point in curve]
            ratios = [point.psnr for point in curve]
            panel.plot(sizes, ratios, color=colour, marker=".", label=name)
        _draw_codes(panel, points)
        panel.set(xlabel="bytes per image", xscale="log")
        panel.set_xticks([16, 32, 64, 128, 256, 512])
        panel.xaxis.set_major_formatter(ScalarFormatter())
        panel.minorticks_off()
        panel.yaxis.set_major_locator(MultipleLocator(5))
        panel.margins(x=0.12, y=0.1)
        panel.set_title("with headers" if headers else "without headers")
        show_grid(panel)
    axes[0, 0].set_ylabel("peak signal-to-noise ratio, dB")
    axes[0, 0].legend(loc="upper left", frameon=False)
    return figure


def _draw_codes(panel: Axes, points: Sequence[CodePoint]) -> None:
    codecs = [point for point in points if point.quantized]
    if codecs:
        panel.plot(
            [point.size for point in codecs],
            [point.psnr for point in codecs],
            color=COLOURS[0],
            marker="o",
            linewidth=2,
            label="codec",
        )
    for point in points:
        place = (point.size, point.psnr)
        if not point.quantized:
            panel.plot(*place, color=MUTED, marker="s", linestyle="")
        offset = (-6, 8) if point.quantized else (0, -15)
        panel.annotate(
            point.name, place, offset, textcoords="offset points", ha="center", fontsize=9
        )


def _table(points: Sequence[CodePoint], curves: Curves) -> str:
    headings = [f"{name}, {headers} headers:" for name in curves for headers in ("with", "without")]
    rows = [
        [f"`{point.name}`", str(point.size), f"{point.psnr:.1f}"]
        + [
            _decibels(psnr_at(curve, point.size, headers))
            for curve in curves.values()
            for headers in (True, False)
        ]
        for point in points
    ]
    return markdown_table(["model", "bytes:", "model:", *headings], rows)


def _decibels(ratio: float | None) -> str:
    return "not possible" if ratio is None else f"{ratio:.1f}"
