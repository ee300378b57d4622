from __future__ import annotations

from training.report.markdown import markdown_table


def test_numbers_stand_to_the_right() -> None:
    assert markdown_table(["model", "size:"], [["`cnn`", "1"], ["`svm`", "2"]]) == (
        "| model | size |\n| --- | --: |\n| `cnn` | 1 |\n| `svm` | 2 |\n"
    )
