"""The models that the repository carries do what their README says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from tests.training.session_model import SessionModel
from tests.training.test_warmup import read_warmup_requests
from training.data import CLASS_NAMES, load_test, slug
from training.evaluate import measure
from training.repository import latest_version
from training.zoo import network

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "models"
SAMPLES = ROOT / "services" / "gateway" / "static" / "samples"


@pytest.fixture(scope="module")
def cnn_version() -> Path:
    return latest_version(MODELS, "cnn")


def test_every_signature_answers_its_warm_up_request(cnn_version: Path, cnn: object) -> None:
    expected = {signature.name for signature in network("cnn").signatures(cnn)}
    requests = read_warmup_requests(cnn_version)

    assert set(requests) == expected
    with SessionModel(cnn_version) as model:
        assert set(model.signatures) == expected
        for signature_name, inputs in requests.items():
            outputs = model.run(signature_name, **inputs)
            assert all(len(values) == 1 for values in outputs.values())


def test_at_least_nine_of_the_ten_samples_are_right(cnn_version: Path) -> None:
    files = [(SAMPLES / f"{slug(name)}.png").read_bytes() for name in CLASS_NAMES]

    with SessionModel(cnn_version) as model:
        outputs = model.run("predict_bytes", image_bytes=files)

    assert np.count_nonzero(outputs["class_index"] == np.arange(10)) >= 9


def test_the_config_names_every_model() -> None:
    config = model_server_config_pb2.ModelServerConfig()
    text_format.Parse((MODELS / "models.config").read_text(), config)

    configured = {entry.name: entry.base_path for entry in config.model_config_list.config}
    folders = {path.name for path in MODELS.iterdir() if path.is_dir()}
    assert configured == {name: f"/models/{name}" for name in folders}


@pytest.mark.dataset
def test_evaluation_reaches_the_accuracy_in_the_readme(cnn_version: Path) -> None:
    readme = (MODELS / "README.md").read_text()
    row = re.search(
        r"^\| `cnn` \|.*\| ([\d,]+) \| accuracy (0\.\d{4}) \| .* MB \|", readme, re.MULTILINE
    )
    assert row is not None

    measured = measure(cnn_version, network("cnn").objective, load_test())

    assert f"{measured.parameters:,}" == row[1]
    assert measured.quality == pytest.approx(float(row[2]), abs=0.0005)
    assert measured.quality >= 0.90
