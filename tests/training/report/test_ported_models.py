from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from training.exporting.export import CARD_PATH
from training.exporting.repository import latest_version
from training.porting.agreement import Agreement
from training.porting.photographs import PHOTOGRAPHS
from training.porting.port import PORT_PATH, Port
from training.report import ported_models
from training.report.ported_models import ported_section, write_ported_card

ROOT = Path(__file__).parents[3]


def test_the_card_has_what_was_recorded(tmp_path: Path) -> None:
    version = tmp_path / "efficientnet_lite0" / "7"
    (version / "assets.extra").mkdir(parents=True)
    agreement = Agreement(images=24, top1=0.75, top5=0.9, difference=0.123)
    record = Port("efficientnet_lite0", "weights 2.1", "MIT", "https://a.b", 12345, 2e-5, agreement)
    (version / PORT_PATH).write_text(json.dumps(asdict(record)))

    write_ported_card(version)

    card = (version / CARD_PATH).read_text()
    assert "This card is of version 7." in card
    assert "those of weights 2.1 ([source](https://a.b), MIT)" in card
    assert "| parameters | 12,345 |" in card
    assert "| same top class | 75.0% |" in card
    assert "| same five top classes | 90.0% |" in card
    assert "| largest difference of a logit | 0.12 |" in card
    assert "for 24 views of the photographs" in card
    assert "224×224 pixels" in card


def test_a_repository_without_ported_networks_has_no_section(tmp_path: Path) -> None:
    assert ported_section(tmp_path) is None


def test_the_section_is_about_the_committed_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ported_models, "PHOTOGRAPHS", ROOT / PHOTOGRAPHS)
    (tmp_path / "efficientnet_lite0").symlink_to(ROOT / "models" / "efficientnet_lite0")

    section = ported_section(tmp_path)

    version = latest_version(ROOT / "models", "efficientnet_lite0").name
    assert f"| `efficientnet_lite0` | {version} | EfficientNet-Lite0" in section
    assert " cat`, explained by four" in section
    assert "![Saliency maps of efficientnet_lite0](figures/photograph_saliency.png)" in section
    assert (tmp_path / "figures" / "photograph_saliency.png").stat().st_size < 150_000


def test_the_readme_has_the_section_as_the_report_writes_it() -> None:
    readme = (ROOT / "models" / "README.md").read_text()

    assert "| `efficientnet_lite0` | 1 |" in readme.split("\n## Photographs\n")[1]
