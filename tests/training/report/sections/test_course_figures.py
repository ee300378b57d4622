from __future__ import annotations

from pathlib import Path

from tests.training.report.fake_models import report_data
from training.report.sections.course_figures import course_figures_section


def test_the_deep_networks_are_shown_only_once_they_are_trained(tmp_path: Path) -> None:
    data = report_data(tmp_path)
    before = course_figures_section(data)
    (tmp_path / "figures" / "deep_networks.png").touch()
    after = course_figures_section(data)

    for name in ("approximation", "curves"):
        assert f"(figures/{name}.png)" in before
        assert (tmp_path / "figures" / f"{name}.png").exists()
    assert "deep_networks" not in before
    assert after.startswith(before)
    assert "(figures/deep_networks.png)" in after
