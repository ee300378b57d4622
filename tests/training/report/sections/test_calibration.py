from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.training.report.fake_models import codec, fake_model, predictions, report_data
from training.evaluation.calibration import reliability
from training.report.sections.calibration import calibration_section, draw_calibration


def test_without_a_classifier_there_is_no_section(tmp_path: Path) -> None:
    assert calibration_section(report_data(tmp_path, codec("codec", 15))) is None


def test_it_names_the_best_calibrated(tmp_path: Path) -> None:
    # Both are 82% sure; one is right in 32 of 40, the other one in all.
    honest = fake_model("honest", quality=0.8, probabilities=predictions(40, right=32))
    modest = fake_model("modest", quality=1.0, probabilities=predictions(40, right=40))

    text = " ".join(calibration_section(report_data(tmp_path, honest, modest)).split())

    assert "`honest` has the lowest, 0.020." in text
    assert (tmp_path / "figures" / "calibration.png").exists()


def test_the_curves_and_the_errors_are_what_was_measured() -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 10, 2_000)
    found = {
        name: reliability(generator.dirichlet(np.ones(10) / sharpness, 2_000), labels)
        for name, sharpness in [("soft", 1), ("hard", 10)]
    }

    curves, errors = draw_calibration(found, min_share=0.01).axes

    for line in curves.lines[1:]:
        one = found[line.get_label()]
        drawn = one.share >= 0.01
        np.testing.assert_allclose(line.get_xdata(), one.confidence[drawn])
        np.testing.assert_allclose(line.get_ydata(), one.accuracy[drawn])
    plotted = {line.get_ydata()[0]: line.get_xdata()[0] for line in errors.lines}
    assert plotted == {name: one.error for name, one in found.items()}
