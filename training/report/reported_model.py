"""A model as the report sees it: its latest version, loaded and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console

from training.data.fashion_mnist import Split
from training.evaluation.evaluate import Measurement, measure_saved_model
from training.evaluation.latency import Latency, measure_latencies
from training.exporting.export import Origin, read_origin
from training.exporting.repository import latest_version
from training.exporting.restore import load_saved_model
from training.report.progress import progress_on
from training.zoo.network import Network
from training.zoo.objective import Signatures

MAX_BATCH = 500  # images; more of them would need more memory and no less time.


@dataclass(frozen=True)
class ReportedModel:
    """The latest version of a model, loaded and measured.

    Attributes:
        network: What the zoo says of it.
        version: The version's folder.
        origin: How it was trained.
        saved_model: What was loaded; its signatures live as long as it does.
        measurement: How well it does.
        latency: How fast `serving_default` is.
    """

    network: Network
    version: Path
    origin: Origin
    saved_model: Any
    measurement: Measurement
    latency: Latency

    @property
    def name(self) -> str:
        """The model's name."""
        return self.network.name

    @property
    def signatures(self) -> Signatures:
        """The loaded signatures by name."""
        signatures: Signatures = self.saved_model.signatures
        return signatures

    @property
    def is_classifier(self) -> bool:
        """Whether it gives classes probabilities."""
        return self.measurement.probabilities is not None

    @property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """What a classifier gave each class of each example, [N, K].

        Raises:
            ValueError: The model is no classifier.
        """
        if self.measurement.probabilities is None:
            raise ValueError(f"{self.name} is no classifier, so it has no probabilities.")
        return self.measurement.probabilities

    def run(self, signature_name: str, output: str, **inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Runs a signature, a batch at a time.

        Args:
            signature_name: Of the signature.
            output: Which of its outputs is wanted.
            **inputs: Its inputs by name, [N, ...].

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
        models: The repository.
        networks: Of which it holds a version each.
        examples: What to measure them on.
        console: Shows the progress.

    Raises:
        ModelRepositoryError: A version is missing, cannot be loaded or does not say how it was
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
            [partial(_answer, saved_model.signatures) for saved_model in loaded],
            as_inputs(examples.images),
        )
        progress.remove_task(timing)
    parts = zip(networks, versions, origins, loaded, measurements, latencies, strict=True)
    return [ReportedModel(*part) for part in parts]


def as_inputs(images: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Returns [N, H, W] images as signatures take them, float32 [N, H, W, 1]."""
    return images[..., np.newaxis].astype(np.float32)


def _answer(signatures: Signatures, images: npt.NDArray[np.float32]) -> Mapping[str, object]:
    outputs = signatures["serving_default"](images=images)
    # A GPU answers when its numbers are read.
    return {name: values.numpy() for name, values in outputs.items()}
