"""The Python client of the gateway: images or texts in, typed results out.

It needs NumPy, Pillow and Requests (`pip install ./services/client`), and no other part of Lectern.
"""

from services.client.client import Client
from services.client.errors import (
    GatewayConnectionError,
    GatewayError,
    GatewayTimeoutError,
    ProblemError,
)
from services.client.images import Image, Images
from services.client.results import (
    Activation,
    CascadeModels,
    ClassProbability,
    Code,
    Continuation,
    ModelMetadata,
    Prediction,
    RestoredImage,
    Saliency,
    SaliencyScores,
    Sample,
    ServedModel,
    Signature,
    TensorSpec,
    VersionState,
    Visualization,
)

__all__ = [
    "Activation",
    "CascadeModels",
    "ClassProbability",
    "Client",
    "Code",
    "Continuation",
    "GatewayConnectionError",
    "GatewayError",
    "GatewayTimeoutError",
    "Image",
    "Images",
    "ModelMetadata",
    "Prediction",
    "ProblemError",
    "RestoredImage",
    "Saliency",
    "SaliencyScores",
    "Sample",
    "ServedModel",
    "Signature",
    "TensorSpec",
    "VersionState",
    "Visualization",
]
