"""The quality of generated samples, measured by a classifier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.data.fashion_mnist import CLASS_NAMES
from training.report.reported_model import ReportedModel
from training.zoo.frechet import frechet_distance

# The classifier, and the layer whose outputs are the features of images.
CLASSIFIER, FEATURES = "cnn", "dense"

Images = npt.NDArray[np.float32]


@dataclass(frozen=True)
class SampleQuality:
    """The quality of a generator's samples.

    Attributes:
        distance: Fréchet distance between the features of the samples and of real images.
        shares: Share of the samples that are classified as each class, [10].
    """

    distance: float
    shares: npt.NDArray[np.float64]


def measure_samples(
    classifier: ReportedModel, images: Images, real_features: Images
) -> SampleQuality:
    """Measures the quality of samples.

    Args:
        classifier: A classifier whose signature `activations` has the output `FEATURES`.
        images: The samples, [N, H, W, C], 0 to 255.
        real_features: The classifier's features of real images, [M, D].
    """
    classes = classifier.run("serving_default", "class_index", images=images)
    return SampleQuality(
        distance=frechet_distance(features(classifier, images), real_features),
        shares=np.bincount(classes, minlength=len(CLASS_NAMES)) / len(classes),
    )


def features(classifier: ReportedModel, images: Images) -> Images:
    """Returns the classifier's features of images, [N, D]."""
    found: Images = classifier.run("activations", FEATURES, images=images)
    return found
