"""A model of the report: its latest version, loaded and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import Progress

from training.data.fashion_mnist import Split
from training.evaluation.evaluate import Measurement, measure_saved_model
from training.evaluation.latency import Latency, measure_latencies
from training.exporting.export import Origin, read_origin
from training.exporting.repository import latest_version
from training.exporting.restore import load_saved_model
from training.zoo.network import Network
from training.zoo.objective import Signatures

MAX_BATCH = 500  # Larger batches need more memory and are no faster.


@dataclass(frozen=True)
class ReportedModel:
    """The latest version of a model, loaded and measured.

    Attributes:
        network: Its entry in the zoo.
        version: The folder of the version.
        origin: How it was trained.
        saved_model: The loaded SavedModel, which must be kept for its signatures.
        measurement: Its quality and size.
        latency: Latency of `serving_default`.
    """

    network: Network
    version: Path
    origin: Origin
    saved_model: Any
    measurement: Measurement
    latency: Latency

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.network.name

    @property
    def signatures(self) -> Signatures:
        """The loaded signatures by name."""
        signatures: Signatures = self.saved_model.signatures
        return signatures

    @property
    def is_classifier(self) -> bool:
        """True if the model returns probabilities of classes."""
        return self.measurement.probabilities is not None

    @property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """Predicted probabilities of a classifier for each example, [N, K].

        Raises:
            ValueError: The model is no classifier.
        """
        if self.measurement.probabilities is None:
            raise ValueError(
                f"{self.name} is no classifier; expected a model that returns probabilities."
            )
        return self.measurement.probabilities

    def run(self, signature_name: str, output: str, **inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Runs a signature in batches.

        Args:
            signature_name: Name of the signature.
            output: Name of the output to return.
            **inputs: Inputs by name, [N, ...].

        Returns:
            The output, [N, ...].
        """
        count = len(next(iter(inputs.values())))
        starts = range(0, count, MAX_BATCH)
        batches = [{k: v[start : start + MAX_BATCH] for k, v in inputs.items()} for start in starts]
        signature = self.signatures[signature_name]
        return np.concatenate([signature(**batch)[output].numpy() for batch in batches])


def report_models(
    models: Path, networks: Sequence[Network], examples: Split, console: Console
) -> list[ReportedModel]:
    """Loads and measures the latest version of each network.

    Args:
        models: The model repository.
        networks: Networks with a version in the repository.
        examples: Images and labels to measure them on.
        console: Shows the progress.

    Raises:
        ModelRepositoryError: A version is missing, cannot be loaded or has no record of how it was
            trained.
    """
    versions = [latest_version(models, network.name) for network in networks]
    origins = [read_origin(version) for version in versions]
    with progress_on(console) as progress:
        loaded = [
            load_saved_model(version)
            for version in progress.track(versions, description="Loading the models")
        ]
        measurements = [
            measure_saved_model(saved_model, version, network.objective, examples)
            for network, version, saved_model in progress.track(
                list(zip(networks, versions, loaded, strict=True)), description="Measuring them"
            )
        ]
        timing = progress.add_task("Timing them", total=None)
        latencies = measure_latencies(
            [partial(_predict, saved_model.signatures) for saved_model in loaded],
            as_inputs(examples.images),
        )
        progress.remove_task(timing)
    parts = zip(networks, versions, origins, loaded, measurements, latencies, strict=True)
    return [ReportedModel(*part) for part in parts]


def progress_on(console: Console) -> Progress:
    """Returns a progress bar that disappears at the end, and is hidden without a terminal."""
    return Progress(console=console, transient=True, disable=not console.is_interactive)


def as_inputs(images: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Returns [N, H, W] images as inputs of signatures, float32 [N, H, W, 1]."""
    return images[..., np.newaxis].astype(np.float32)


def _predict(signatures: Signatures, images: npt.NDArray[np.float32]) -> Mapping[str, object]:
    outputs = signatures["serving_default"](images=images)
    # On a GPU, the computation ends when the results are read.
    return {name: values.numpy() for name, values in outputs.items()}
