from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tests.training.report.fake_models import codec, fake_model, predictions, report_data
from training.evaluation.figure import new_figure


def test_it_finds_models_by_name_signature_and_kind(tmp_path: Path) -> None:
    weak = fake_model("weak", quality=0.5, probabilities=predictions(40, 20))
    strong = fake_model("strong", quality=0.9, probabilities=predictions(40, 36))
    made = report_data(tmp_path, weak, codec("codec", 15), strong)

    assert made.find("weak") is weak
    assert made.find("cnn") is None
    assert [model.name for model in made.with_signatures("compress", "decompress")] == ["codec"]
    assert made.with_signatures("compress", "generate") == []
    assert [model.name for model in made.classifiers()] == ["strong", "weak"]


def test_pictures_go_beside_the_readme(tmp_path: Path) -> None:
    figure, panels = new_figure(1, 1)
    panels[0, 0].imshow(np.zeros((2, 2)))

    markdown = report_data(tmp_path).add_figure("nothing", figure, "Nothing at all")

    assert markdown == "![Nothing at all](figures/nothing.png)"
    with Image.open(tmp_path / "figures" / "nothing.png") as image:
        assert image.format == "PNG"
