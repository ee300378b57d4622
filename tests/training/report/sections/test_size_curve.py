from __future__ import annotations

from pathlib import Path

from tests.training.report.fake_models import fake_model, predictions, report_data
from training.report.reported_model import ReportedModel
from training.report.sections.size_curve import draw_size_curve, size_curve_section


def classifier(
    name: str, parameters: int, quality: float, teacher: str | None = None
) -> ReportedModel:
    return fake_model(
        name,
        parameters=parameters,
        quality=quality,
        teacher=teacher,
        probabilities=predictions(40, 20),
    )


FAMILY = [
    classifier("svm", 7_850, 0.84),
    classifier("cnn_best", 400_000, 0.95),
    classifier("student", 20_000, 0.92),
    classifier("student_tiny", 4_000, 0.88),
    classifier("mimic", 20_000, 0.94, "cnn_best"),
    classifier("mimic_tiny", 4_000, 0.89, "cnn_best"),
]


def test_two_lines_join_what_differs_in_size_alone() -> None:
    (panel,) = draw_size_curve(FAMILY).axes

    drawn = {line.get_label(): line.get_xydata().tolist() for line in panel.lines}
    assert drawn == {
        "other networks": [[7_850, 0.84]],
        "teacher": [[400_000, 0.95]],
        "same network, labels alone": [[4_000, 0.88], [20_000, 0.92]],
        "distilled": [[4_000, 0.89], [20_000, 0.94]],
    }
    assert {text.get_text() for text in panel.texts} == {model.name for model in FAMILY}


def test_the_table_says_what_the_teacher_is_worth(tmp_path: Path) -> None:
    text = size_curve_section(report_data(tmp_path, *FAMILY))

    assert "| `mimic` | 20,000 | 1/20 | 92.00% | 94.00% | +2.00 | 1.00 |" in text
    assert "| `mimic_tiny` | 4,000 | 1/100 | 88.00% | 89.00% | +1.00 | 6.00 |" in text
    assert (tmp_path / "figures" / "size_curve.png").exists()


def test_without_a_student_to_compare_with_there_is_no_table(tmp_path: Path) -> None:
    lonely = [model for model in FAMILY if not model.name.startswith("student")]

    text = size_curve_section(report_data(tmp_path, *lonely))

    assert "figures/size_curve.png" in text
    assert "| `mimic` |" not in text


def test_a_curve_needs_two_points(tmp_path: Path) -> None:
    assert size_curve_section(report_data(tmp_path, FAMILY[0])) is None
