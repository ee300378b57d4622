from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.report.fake_models import report_data
from training.report.sections import optimizers
from training.report.sections.optimizers import optimizers_section


def test_the_picture_is_drawn_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    monkeypatch.setattr(optimizers, "draw_optimizer_paths", lambda path: drawn.append(path) or path)

    text = optimizers_section(report_data(tmp_path))

    assert drawn == [tmp_path / "figures" / "optimizers.png"]
    assert "(figures/optimizers.png)" in text
