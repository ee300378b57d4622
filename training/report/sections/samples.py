"""The section on generation: what the generators draw, and how near that is to real images."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from training.data.fashion_mnist import CLASS_NAMES
from training.evaluation.figure import new_figure, show_grey, tile
from training.evaluation.frechet import frechet_distance
from training.report.judgement import JUDGE, Judgement, features, judge
from training.report.markdown import markdown_table
from training.report.reported_model import ReportedModel, as_inputs
from training.report.study import Study
from training.report.table import quality

ROWS, COLUMNS = 6, 10
PATHS = 4
# A class is shown if the judge sees it in at least this share of the samples.
SHOWN = 0.005

Images = npt.NDArray[np.float32]


def samples_section(study: Study) -> str | None:
    """Shows samples of the generators and ways between two of them, judged by a classifier."""
    generators = study.with_signatures("generate", "decode_latent")
    if not generators:
        return None
    samples = {model.name: sample(model, np.arange(ROWS * COLUMNS)) for model in generators}
    paths = {model.name: interpolate(model, PATHS, COLUMNS) for model in generators}
    picture = study.add_picture("samples", draw_samples(samples, paths), "Samples of generators")
    return f"""\
## What they dream of

{picture}

Above, the seeds 0 to {ROWS * COLUMNS - 1}, not chosen; below, ways through latent space from one
seed's image to the next one's, along the sphere on which such vectors lie
([White 2016](https://arxiv.org/abs/1609.04468)).
{_judged(study, generators)}"""


def sample(model: ReportedModel, seeds: npt.NDArray[np.integer], output: str = "images") -> Images:
    """Returns a generator's image, or latent vector, of each seed, at temperature 1."""
    temperature = np.ones(len(seeds), np.float32)
    drawn: Images = model.run(
        "generate", output, seed=seeds.astype(np.int64), temperature=temperature
    )
    return drawn


def interpolate(model: ReportedModel, paths: int, steps: int) -> Images:
    """Decodes the way from each even seed's latent vector to the next odd one's.

    Args:
        model: A generator.
        paths: How many ways.
        steps: Images on each.

    Returns:
        [paths * steps, H, W, C].
    """
    ends = sample(model, np.arange(2 * paths), "latent").reshape(paths, 2, -1)
    places = np.linspace(0, 1, steps)
    latent = [slerp(first, last, place) for first, last in ends for place in places]
    decoded: Images = model.run(
        "decode_latent", "images", latent=np.stack(latent).astype(np.float32)
    )
    return decoded


def slerp(first: Images, last: Images, place: float) -> Images:
    """Returns the vector at a place, 0 to 1, of the way between two vectors around the origin."""
    cosine = first @ last / (np.linalg.norm(first) * np.linalg.norm(last))
    angle = np.arccos(np.clip(cosine, -1, 1))
    if np.sin(angle) < 1e-6:
        return (1 - place) * first + place * last
    weights = np.sin([(1 - place) * angle, place * angle]) / np.sin(angle)
    between: Images = weights @ np.stack([first, last])
    return between


def draw_samples(samples: Mapping[str, Images], paths: Mapping[str, Images]) -> Figure:
    """Draws a column of two sheets a generator.

    Args:
        samples: [N, H, W, 1] by the generator's name.
        paths: The same.
    """
    figure, panels = new_figure(
        0.5 + 5.2 * len(samples), 5.8, 2, len(samples), height_ratios=[ROWS, PATHS]
    )
    for (above, below), (name, images) in zip(panels.T, samples.items(), strict=True):
        show_grey(above, tile(images[..., 0], COLUMNS))
        above.set_title(name)
        show_grey(below, tile(paths[name][..., 0], COLUMNS))
    panels[0, 0].set_ylabel("samples")
    panels[1, 0].set_ylabel("ways between two")
    return figure


def _judged(study: Study, generators: list[ReportedModel]) -> str:
    classifier = study.find(JUDGE)
    if classifier is None:
        return ""
    real = features(classifier, as_inputs(study.test.images))
    rows = []
    for model in generators:
        images = sample(model, np.arange(len(study.test)))
        rows.append(_row(model, judge(classifier, images, real)))
    table = markdown_table(
        [
            "model",
            "test set:",
            "Fréchet distance:",
            "classes shown:",
            "rarest class",
            "most common",
        ],
        rows,
    )
    half = len(real) // 2
    return f"""
As many samples as the test set has images, judged by `{JUDGE}`: the distance of its {real.shape[1]}
features of the samples to those of the test set
([Heusel et al. 2017](https://arxiv.org/abs/1706.08500), with this classifier in the place of
ImageNet's), and the classes that it sees in at least {SHOWN:.1%} of them. Between two halves of the
test set the distance is {frechet_distance(real[:half], real[half:]):.2f}.

{table}"""


def _row(model: ReportedModel, judgement: Judgement) -> list[str]:
    shares = judgement.shares
    rarest, commonest = int(shares.argmin()), int(shares.argmax())
    return [
        f"`{model.name}`",
        quality(model),
        f"{judgement.distance:.2f}",
        f"{np.count_nonzero(shares >= SHOWN)} of {len(shares)}",
        f"{CLASS_NAMES[rarest]}, {shares[rarest]:.1%}",
        f"{CLASS_NAMES[commonest]}, {shares[commonest]:.1%}",
    ]
