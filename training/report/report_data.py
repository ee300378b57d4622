"""The data of the report: all models and the test set; and its folder of figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from training.data.fashion_mnist import Split
from training.evaluation.figure import save_figure
from training.report.reported_model import ReportedModel


@dataclass(frozen=True)
class ReportData:
    """The data that the sections of the report use.

    Attributes:
        models: All models of the repository, in the order of the zoo.
        test: The test set.
        folder: The model repository, with the README; figures go to its subfolder `figures`.
    """

    models: Sequence[ReportedModel]
    test: Split
    folder: Path

    def find(self, name: str) -> ReportedModel | None:
        """Returns the model with a name, if it is in the repository."""
        return next((model for model in self.models if model.name == name), None)

    def with_signatures(self, *names: str) -> list[ReportedModel]:
        """Returns the models that have all these signatures."""
        return [model for model in self.models if set(names) <= set(model.signatures)]

    def classifiers(self) -> list[ReportedModel]:
        """Returns the classifiers, the most accurate first."""
        found = [model for model in self.models if model.is_classifier]
        return sorted(found, key=lambda model: -model.measurement.quality)

    def add_figure(self, name: str, figure: Figure, description: str) -> str:
        """Saves a figure.

        Args:
            name: Name of the file, without its extension.
            figure: The figure.
            description: Alternative text.

        Returns:
            The Markdown that includes it in the README.
        """
        path = save_figure(figure, self.folder / "figures" / f"{name}.png")
        return f"![{description}]({path.relative_to(self.folder)})"
