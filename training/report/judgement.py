"""What a classifier makes of a generator's samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.data.fashion_mnist import CLASS_NAMES
from training.evaluation.frechet import frechet_distance
from training.report.reported_model import ReportedModel

# The classifier that looks at the samples, and the layer whose outputs are its features.
JUDGE, FEATURES = "cnn", "dense"

Images = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Judgement:
    """What a classifier makes of a generator's samples.

    Attributes:
        distance: The Fréchet distance of its features of them to those of real images.
        shares: The share of the samples that it takes for each class, [10].
    """

    distance: float
    shares: npt.NDArray[np.float64]


def judge(classifier: ReportedModel, images: Images, real_features: Images) -> Judgement:
    """Shows a generator's images to a classifier.

    Args:
        classifier: It has the signature `activations` with the output `FEATURES`.
        images: [N, H, W, C], 0 to 255.
        real_features: Its features of real images, [M, D].
    """
    named = classifier.run("serving_default", "class_index", images=images)
    return Judgement(
        distance=frechet_distance(features(classifier, images), real_features),
        shares=np.bincount(named, minlength=len(CLASS_NAMES)) / len(named),
    )


def features(classifier: ReportedModel, images: Images) -> Images:
    """Returns the classifier's features of images, [N, D]."""
    found: Images = classifier.run("activations", FEATURES, images=images)
    return found
