"""The models that the repository carries do what their README says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from tests.training.exporting.test_warmup import read_warmup_requests
from training.data.fashion_mnist import CLASS_NAMES, load_test, slug
from training.evaluation.evaluate import measure, trained_networks
from training.exporting.export import CARD_PATH
from training.exporting.repository import latest_version
from training.exporting.session import SessionModel
from training.report.text_models import text_networks
from training.zoo.ported import PORTED

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "models"
SAMPLES = ROOT / "services" / "gateway" / "static" / "samples"
NETWORKS = {entry.name: entry for entry in trained_networks(MODELS)}
TEXTS = {entry.name: entry for entry in text_networks(MODELS)}
CLASSIFIERS = [name for name, entry in NETWORKS.items() if entry.objective.quality == "accuracy"]
# The accuracy on the test set that a version must have to be committed.
FLOORS = {
    "mlp": 0.885,
    "cnn": 0.90,
    "cnn_batchnorm": 0.915,
    "cnn_regularized": 0.937,
    "cnn_best": 0.945,
    "rnn": 0.85,
    "lstm": 0.89,
    "gru": 0.89,
    "transfer": 0.90,
}


def read_report() -> dict[str, list[str]]:
    """Returns the cells of the rows of the README's first table, by model."""
    table, *_ = (MODELS / "README.md").read_text().split("\n## ")
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]
    return {row[0].strip("`"): row for row in rows}


@pytest.mark.parametrize("name", [*NETWORKS, *TEXTS])
def test_every_signature_answers_its_warm_up_request(name: str) -> None:
    version = latest_version(MODELS, name)
    entry = {**NETWORKS, **TEXTS}[name]
    expected = {signature.name for signature in entry.signatures(entry.build())}
    requests = read_warmup_requests(version)

    assert set(requests) == expected
    with SessionModel(version) as model:
        assert set(model.signatures) == expected
        for signature_name, inputs in requests.items():
            outputs = model.run(signature_name, **inputs)
            assert all(len(values) == 1 for values in outputs.values())


@pytest.fixture(scope="module")
def wrong_shapes() -> list[str]:
    """Returns a line for each wrong shape that every model was fed."""
    versions = [str(latest_version(MODELS, name)) for name in [*NETWORKS, *PORTED]]
    # In a process of its own: a shape that reaches a convolution aborts TensorFlow.
    result = subprocess.run(
        [sys.executable, "-m", "tests.training.exporting.wrong_shapes", *versions],
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
        cwd=ROOT,
    )
    lines = result.stdout.splitlines()
    assert result.returncode == 0, f"{lines[-1:]} {result.stderr[-2000:]}"
    return lines


@pytest.mark.parametrize("name", [*NETWORKS, *PORTED])
def test_every_signature_refuses_wrong_shapes(name: str, wrong_shapes: list[str]) -> None:
    version = latest_version(MODELS, name)
    lines = [line.split(maxsplit=2)[1:] for line in wrong_shapes if line.startswith(f"{version} ")]

    assert {signature for signature, _ in lines} == set(read_warmup_requests(version))
    wrong = [line for _, line in lines if line.startswith("wrong_shapes")]
    assert [line for line in wrong if "is not compatible with expected shape" not in line] == []


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_at_least_eight_of_the_ten_samples_are_right(name: str) -> None:
    files = [(SAMPLES / f"{slug(name)}.png").read_bytes() for name in CLASS_NAMES]

    with SessionModel(latest_version(MODELS, name)) as model:
        outputs = model.run("predict_bytes", image_bytes=files)

    assert np.count_nonzero(outputs["class_index"] == np.arange(10)) >= 8


def test_the_config_names_every_model() -> None:
    config = model_server_config_pb2.ModelServerConfig()
    text_format.Parse((MODELS / "models.config").read_text(), config)

    configured = {entry.name: entry.base_path for entry in config.model_config_list.config}
    assert configured == {name: f"/models/{name}" for name in (*NETWORKS, *TEXTS, *PORTED)}


def test_all_of_them_together_stay_small() -> None:
    files = {path: path.stat().st_size for path in MODELS.rglob("*") if path.is_file()}
    ported = sum(size for path, size in files.items() if is_ported(path))

    assert sum(files.values()) - ported < 60e6
    assert ported < 12e6


def is_ported(path: Path) -> bool:
    """Tells whether a file belongs to a network with ported weights, which are large."""
    return path.relative_to(MODELS).parts[0] in PORTED


def test_the_readme_has_a_row_for_every_model() -> None:
    rows = read_report()

    assert list(rows) == list(NETWORKS)
    for name, row in rows.items():
        assert row[1] == latest_version(MODELS, name).name


@pytest.mark.parametrize("name", NETWORKS)
def test_the_card_is_of_the_latest_version_and_lists_its_signatures(name: str) -> None:
    card = (latest_version(MODELS, name) / CARD_PATH).read_text()

    assert f"This card is of version {latest_version(MODELS, name).name};" in card
    entry = NETWORKS[name]
    for signature in entry.signatures(entry.build()):
        assert f"| `{signature.name}` |" in card


def test_every_picture_of_the_readme_is_there_and_small() -> None:
    shown = set(re.findall(r"\(figures/(.+?)\)", (MODELS / "README.md").read_text()))

    sizes = {path.name: path.stat().st_size for path in (MODELS / "figures").iterdir()}
    assert shown <= set(sizes)
    assert max(sizes.values()) < 250_000


@pytest.mark.dataset
@pytest.mark.parametrize("name", NETWORKS)
def test_evaluation_reaches_what_the_readme_says(name: str) -> None:
    objective = NETWORKS[name].objective
    metric, value = read_report()[name][5].rsplit(" ", 1)

    measured = measure(latest_version(MODELS, name), objective, load_test())

    assert metric == objective.quality
    assert measured.quality == pytest.approx(float(value), rel=1e-3)
    assert measured.quality >= FLOORS.get(name, -np.inf)
