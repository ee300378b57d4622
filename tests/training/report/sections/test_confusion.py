from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.report.fake_models import codec, fake_model, predictions, report_data
from training.evaluation.confusion import confusion_shares
from training.report.sections.confusion import PANELS, confusion_section, draw_confusion


def test_without_a_classifier_there_is_no_section(tmp_path: Path) -> None:
    assert confusion_section(report_data(tmp_path, codec("codec", 15))) is None


def test_it_names_the_most_frequent_mistake_of_the_best(tmp_path: Path) -> None:
    # What is wrong is taken for the next class: two of the four bags and one of the dresses.
    probabilities = predictions(40, right=40)
    probabilities[[28, 38]] = predictions(40, right=0)[[28, 38]]
    probabilities[[3]] = predictions(40, right=0)[[3]]
    best = fake_model("best", quality=0.92, probabilities=probabilities)
    worse = fake_model("worse", quality=0.1, probabilities=predictions(40, right=4))

    text = " ".join(confusion_section(report_data(tmp_path, worse, best)).split())

    assert "error of `best`: it predicts “Ankle boot” for 50% of the images of “Bag”." in text
    assert "The hardest class is “Bag”, with 50% correct predictions." in text
    assert (tmp_path / "figures" / "confusion.png").exists()


@pytest.mark.parametrize("count", [1, 4, PANELS])
def test_every_panel_holds_its_matrix(count: int) -> None:
    labels = np.arange(40) % 10
    matrices = {
        f"classifier {number}": confusion_shares(predictions(40, right=10 + number), labels)
        for number in range(count)
    }

    figure = draw_confusion(matrices)

    drawn = [panel for panel in figure.axes if panel.get_visible()]
    assert [panel.get_title() for panel in drawn] == list(matrices)
    for panel, shares in zip(drawn, matrices.values(), strict=True):
        np.testing.assert_allclose(panel.images[0].get_array() ** 2, shares)
        written = {text.get_position(): int(text.get_text()) for text in panel.texts}
        rows, columns = np.nonzero(shares)
        assert written == {
            (column, row): round(100 * shares[row, column])
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        }
