from __future__ import annotations

import math
from pathlib import Path

import pytest

from training.cli import main
from training.data.fashion_mnist import load_training
from training.evaluation.evaluate import measure
from training.exporting.session import SessionModel
from training.zoo import find_network


@pytest.mark.parametrize(
    ("name", "signatures", "bounds"),
    [
        ("codec", {"serving_default", "compress", "decompress"}, (0, 0.2)),
        (
            "vae",
            {"serving_default", "encode_latent", "decode_latent", "generate"},
            # Knowing nothing costs log 2 a pixel, and the first steps their divergence.
            (-784 * math.log(2) - 20, 0),
        ),
    ],
)
def test_it_trains_and_its_export_can_be_measured(
    name: str,
    signatures: set[str],
    bounds: tuple[float, float],
    tiny_data: Path,
    tmp_path: Path,
) -> None:
    folders = ["--data", tiny_data, "--models", tmp_path / "models", "--runs", tmp_path / "runs"]
    with pytest.raises(SystemExit, match="0"):
        main(["train", name, "--preset", "quick", "--name", name, *map(str, folders)])
    version = tmp_path / "models" / name / "1"

    _, validation = load_training(tiny_data)
    quality = measure(version, find_network(name).objective, validation).quality
    assert bounds[0] < quality < bounds[1]
    with SessionModel(version) as model:
        assert set(model.signatures) == signatures
