"""The saliency task: how much each pixel contributes to a class. One method per file."""

from training.signatures.saliency.gradcam import saliency_gradcam
from training.signatures.saliency.gradient import saliency_gradient
from training.signatures.saliency.integrated_gradients import (
    near_zero,
    saliency_integrated_gradients,
)
from training.signatures.saliency.smoothgrad import saliency_smoothgrad

__all__ = [
    "near_zero",
    "saliency_gradcam",
    "saliency_gradient",
    "saliency_integrated_gradients",
    "saliency_smoothgrad",
]
