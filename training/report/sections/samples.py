"""The section on generated samples and their quality."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from training.data.fashion_mnist import CLASS_NAMES
from training.evaluation.figure import new_figure, show_grey, tile
from training.report.markdown import markdown_table
from training.report.report_data import ReportData
from training.report.reported_model import ReportedModel, as_inputs
from training.report.sample_quality import (
    CLASSIFIER,
    SampleQuality,
    features,
    measure_samples,
)
from training.report.table import quality
from training.zoo.frechet import frechet_distance

ROWS, COLUMNS = 6, 10
PATHS = 4
# A class counts as generated if it has at least this share of the samples.
MIN_SHARE = 0.005

Images = npt.NDArray[np.float32]


def samples_section(data: ReportData) -> str | None:
    """Returns samples of the generators, interpolations and a measurement of their quality."""
    generators = data.with_signatures("generate", "decode_latent")
    if not generators:
        return None
    samples = {model.name: sample(model, np.arange(ROWS * COLUMNS)) for model in generators}
    paths = {model.name: interpolate(model, PATHS, COLUMNS) for model in generators}
    figure_link = data.add_figure("samples", draw_samples(samples, paths), "Samples of generators")
    return f"""\
## Generated samples

{figure_link}

Top: the seeds 0 to {ROWS * COLUMNS - 1}, without selection. Bottom: spherical interpolations
between the latent vectors of two seeds ([White 2016](https://arxiv.org/abs/1609.04468)).
{_quality_table(data, generators)}"""


def sample(model: ReportedModel, seeds: npt.NDArray[np.integer], output: str = "images") -> Images:
    """Returns a generator's image, or latent vector, for each seed, at temperature 1."""
    temperature = np.ones(len(seeds), np.float32)
    drawn: Images = model.run(
        "generate", output, seed=seeds.astype(np.int64), temperature=temperature
    )
    return drawn


def interpolate(model: ReportedModel, paths: int, steps: int) -> Images:
    """Decodes interpolations from each even seed's latent vector to that of the next odd seed.

    Args:
        model: A generator.
        paths: Number of interpolations.
        steps: Images per interpolation.

    Returns:
        [paths * steps, H, W, C].
    """
    ends = sample(model, np.arange(2 * paths), "latent").reshape(paths, 2, -1)
    positions = np.linspace(0, 1, steps)
    latent = [slerp(first, last, position) for first, last in ends for position in positions]
    decoded: Images = model.run(
        "decode_latent", "images", latent=np.stack(latent).astype(np.float32)
    )
    return decoded


def slerp(first: Images, last: Images, position: float) -> Images:
    """Returns the spherical interpolation of two vectors at a position from 0 to 1."""
    cosine = first @ last / (np.linalg.norm(first) * np.linalg.norm(last))
    angle = np.arccos(np.clip(cosine, -1, 1))
    if np.sin(angle) < 1e-6:
        return (1 - position) * first + position * last
    weights = np.sin([(1 - position) * angle, position * angle]) / np.sin(angle)
    between: Images = weights @ np.stack([first, last])
    return between


def draw_samples(samples: Mapping[str, Images], paths: Mapping[str, Images]) -> Figure:
    """Draws one column per generator, with its samples and interpolations.

    Args:
        samples: Sampled images, [N, H, W, 1], by the generator's name.
        paths: Interpolated images, [N, H, W, 1], by the generator's name.
    """
    figure, panels = new_figure(
        0.5 + 5.2 * len(samples), 5.8, 2, len(samples), height_ratios=[ROWS, PATHS]
    )
    for (above, below), (name, images) in zip(panels.T, samples.items(), strict=True):
        show_grey(above, tile(images[..., 0], COLUMNS))
        above.set_title(name)
        show_grey(below, tile(paths[name][..., 0], COLUMNS))
    panels[0, 0].set_ylabel("samples")
    panels[1, 0].set_ylabel("interpolations")
    return figure


def _quality_table(data: ReportData, generators: list[ReportedModel]) -> str:
    classifier = data.find(CLASSIFIER)
    if classifier is None:
        return ""
    real = features(classifier, as_inputs(data.test.images))
    rows = []
    for model in generators:
        images = sample(model, np.arange(len(data.test)))
        rows.append(_row(model, measure_samples(classifier, images, real)))
    table = markdown_table(
        [
            "model",
            "test set:",
            "Fréchet distance:",
            "classes generated:",
            "rarest class",
            "most common class",
        ],
        rows,
    )
    half = len(real) // 2
    return f"""
As many samples as the test set has images, classified by `{CLASSIFIER}`: the Fréchet distance
between its {real.shape[1]} features of the samples and of the test set
([Heusel et al. 2017](https://arxiv.org/abs/1706.08500), with this classifier instead of one of
ImageNet), and the classes with at least {MIN_SHARE:.1%} of the samples. The distance between two
halves of the test set is {frechet_distance(real[:half], real[half:]):.2f}.

{table}"""


def _row(model: ReportedModel, quality_of_samples: SampleQuality) -> list[str]:
    shares = quality_of_samples.shares
    rarest, commonest = int(shares.argmin()), int(shares.argmax())
    return [
        f"`{model.name}`",
        quality(model),
        f"{quality_of_samples.distance:.2f}",
        f"{np.count_nonzero(shares >= MIN_SHARE)} of {len(shares)}",
        f"{CLASS_NAMES[rarest]}, {shares[rarest]:.1%}",
        f"{CLASS_NAMES[commonest]}, {shares[commonest]:.1%}",
    ]
