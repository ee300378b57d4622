"""The rules by which a label may name a version.

Source: tensorflow_serving/model_servers/server_core.cc, `UpdateModelVersionLabelMap`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import TypeAlias

from services.model_server.config.model_config import ModelConfig
from services.model_server.errors import ServingError
from services.serving_api.protos import error_codes_pb2

Labels: TypeAlias = Mapping[str, Mapping[str, int]]
"""The version that each label of each model names."""


def labels_of(models: Sequence[ModelConfig]) -> Labels:
    """Returns the labels of a configuration as they stand there."""
    return {model.name: dict(model.version_labels) for model in models}


def check_labels(
    new: Labels, old: Labels, available: Mapping[str, Set[int]], *, allow_unavailable: bool
) -> None:
    """Refuses a label that would send requests to a version that cannot answer.

    Args:
        new: the labels to be.
        old: the labels that are.
        available: the available versions of each model.
        allow_unavailable: let a label that is new, or stays, name a version that is not available;
            one that moves never may.

    Raises:
        ServingError: FAILED_PRECONDITION.
    """
    for name, labels in new.items():
        for label, version in labels.items():
            moves = old.get(name, {}).get(label, version) != version
            if version in available.get(name, ()) or (allow_unavailable and not moves):
                continue
            raise ServingError(
                error_codes_pb2.FAILED_PRECONDITION,
                f"Request to assign label to version {version} of model {name}, "
                f"which is not currently available for inference: the label is {label!r}",
            )
