"""The section on rate and distortion: the codecs against JPEG and WebP, byte for byte."""

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
from training.report.reported_model import ReportedModel, as_inputs
from training.report.study import Study

IMAGES = 1_000

Curves = Mapping[str, list[RatePoint]]


@dataclass(frozen=True)
class CodePoint:
    """What a model keeps in a code.

    Attributes:
        name: The model's.
        size: Bytes of an image's code.
        quantised: Whether the code is bytes; otherwise it is floats.
        psnr: The peak signal-to-noise ratio of all images together, in decibels.
    """

    name: str
    size: int
    quantised: bool
    psnr: float


def rate_distortion_section(study: Study) -> str | None:
    """Shows the quality of restored images against their bytes."""
    models = study.with_signatures("compress", "decompress")
    if not models:
        return None
    images = study.test.images[:IMAGES].astype(np.uint8)
    points = sorted((measure_code(model, images) for model in models), key=lambda p: p.size)
    curves = {"JPEG": jpeg_curve(images), "WebP": webp_curve(images)}
    picture = study.add_picture(
        "rate_distortion",
        draw_rate_distortion(points, curves),
        "Peak signal-to-noise ratio against bytes",
    )
    return f"""\
## What a byte buys

{picture}

The first {len(images):,} test images. Left, whole files are counted; right, only what a receiver
needs who has the headers and the tables already. A code has neither. In decibels, with JPEG and
WebP read off their curves at the size of the code:

{_table(points, curves)}"""


def measure_code(model: ReportedModel, images: npt.NDArray[np.uint8]) -> CodePoint:
    """Measures what a model's code keeps of images, uint8 [N, H, W]."""
    code = model.run("compress", "code", images=as_inputs(images))
    restored = model.run("decompress", "images", code=code)[..., 0]
    return CodePoint(model.name, code[0].nbytes, code.dtype == np.uint8, psnr(images, restored))


def draw_rate_distortion(points: Sequence[CodePoint], curves: Curves) -> Figure:
    """Draws two panels: headers counted, and not.

    Args:
        points: By their size.
        curves: Of other formats, by their names.
    """
    figure, axes = new_figure(11, 4.8, 1, 2, sharey=True, sharex=True)
    for panel, headers in zip(axes[0], (True, False), strict=True):
        for (name, curve), colour in zip(curves.items(), COLOURS[1:], strict=False):
            sizes = [point.file_bytes if headers else point.payload_bytes for point in curve]
            ratios = [point.psnr for point in curve]
            panel.plot(sizes, ratios, color=colour, marker=".", label=name)
        _draw_codes(panel, points)
        panel.set(xlabel="bytes an image", xscale="log")
        panel.set_xticks([16, 32, 64, 128, 256, 512])
        panel.xaxis.set_major_formatter(ScalarFormatter())
        panel.minorticks_off()
        panel.yaxis.set_major_locator(MultipleLocator(5))
        panel.margins(x=0.12, y=0.1)
        panel.set_title("headers counted" if headers else "headers not counted")
        show_grid(panel)
    axes[0, 0].set_ylabel("peak signal-to-noise ratio, dB")
    axes[0, 0].legend(loc="upper left", frameon=False)
    return figure


def _draw_codes(panel: Axes, points: Sequence[CodePoint]) -> None:
    codecs = [point for point in points if point.quantised]
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
        if not point.quantised:
            panel.plot(*place, color=MUTED, marker="s", linestyle="")
        offset = (-6, 8) if point.quantised else (0, -15)
        panel.annotate(
            point.name, place, offset, textcoords="offset points", ha="center", fontsize=9
        )


def _table(points: Sequence[CodePoint], curves: Curves) -> str:
    headings = [f"{name}, headers {counted}counted:" for name in curves for counted in ("", "not ")]
    rows = [
        [f"`{point.name}`", str(point.size), f"{point.psnr:.1f}"]
        + [
            _decibels(psnr_at(curve, point.size, headers))
            for curve in curves.values()
            for headers in (True, False)
        ]
        for point in points
    ]
    return markdown_table(["model", "bytes:", "model's:", *headings], rows)


def _decibels(ratio: float | None) -> str:
    return "cannot be so small" if ratio is None else f"{ratio:.1f}"
