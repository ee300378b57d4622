"""The command line, as a user calls it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from lectern.calls import _certainty, overlay
from lectern.cli import main
from services.client import ClassProbability
from tests.processes import ROOT, free_port, module, running
from tests.services.client import conftest as gateways
from tests.training.keras_models import models

fake, settings, model_server, app, serve, url = (
    *(gateways.fake, gateways.settings, gateways.model_server, gateways.app),
    *(gateways.serve, gateways.url),
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that `lectern export` has made, with one model named flowers."""
    folder = tmp_path_factory.mktemp("own")
    models.classifier().save(folder / "flowers.keras")
    (folder / "labels.txt").write_text("daisy\nrose\ntulip\n")
    main_in(
        "export",
        folder / "flowers.keras",
        "--name=flowers",
        f"--labels={folder / 'labels.txt'}",
        f"--models={folder / 'models'}",
    )
    return folder / "models"


def main_in(*arguments: object) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code == 0


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_help_answers_without_tensorflow():
    program = (
        "import sys, lectern.cli; print([n for n in ('tensorflow', 'keras') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
    start = time.process_time()
    assert subprocess.run(module("lectern", "--help"), cwd=ROOT, check=True, capture_output=True)
    assert time.process_time() - start < 1


def test_export_says_what_was_written_and_what_comes_next(repository, tmp_path, capsys):
    models.any_size().save(tmp_path / "any.keras")
    capsys.readouterr()
    main_in(
        "export",
        tmp_path / "any.keras",
        "--name=any",
        "--pixels=0..1",
        "--image-size=8x8",
        f"--models={tmp_path / 'models'}",
    )
    output = capsys.readouterr().out
    assert "saliency_gradcam" in output
    assert "equal the Keras model's within" in output
    assert "lectern predict any photo.jpg" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.keras", "--name=m"), "There is no file missing.keras"),
        (("missing.keras", "--name=a/b"), "Received the name 'a/b'"),
        (("keras:NoNet", "--name=m"), "keras.applications has no NoNet"),
    ],
)
def test_bad_input_is_one_sentence(capsys, tmp_path, arguments, message):
    error = fails(capsys, "export", *arguments, f"--models={tmp_path}")
    assert error.startswith(f"Error: {message}")
    assert "Traceback" not in error


def test_check_shows_tasks_latency_and_what_is_missing(repository, capsys, monkeypatch):
    monkeypatch.setattr("lectern.cli.console", Console(width=200))
    main_in("check", repository / "flowers")
    output = capsys.readouterr().out
    assert "saliency_gradcam" in output
    assert "images float32[N, 16, 12, 3]" in output
    assert "It has no generate, compress, decompress" in output


def test_check_of_a_plain_export_says_how_it_is_explained(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("lectern.cli.console", Console(width=200))
    inputs = keras.Input((8, 8, 1))
    outputs = keras.layers.Dense(3)(keras.layers.Flatten()(inputs))
    keras.Model(inputs, outputs).export(tmp_path / "plain" / "1", verbose=False)
    main_in("check", tmp_path / "plain")
    output = capsys.readouterr().out
    assert "It has no predict from files, labels, saliency" in output
    assert "lectern explain plain photo.jpg --method occlusion" in output


def test_check_of_an_empty_folder_is_one_sentence(capsys, tmp_path):
    assert "holds no SavedModel" in fails(capsys, "check", tmp_path)


def test_a_gateway_that_is_not_there_is_one_sentence(capsys):
    assert "cannot be reached" in fails(capsys, "models", f"--url=http://127.0.0.1:{free_port()}")


def test_two_commands_lead_from_a_keras_file_to_a_map_over_ones_own_photo(
    repository, tmp_path, capsys
):
    names = ("GATEWAY_PORT", "GRPC_PORT", "REST_PORT")
    ports = {name: str(free_port()) for name in names}
    url = f"http://127.0.0.1:{ports['GATEWAY_PORT']}"
    photo = tmp_path / "photo.jpg"
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (300, 400, 3), np.uint8)).save(photo)
    with running(*module("lectern", "serve", str(repository)), environment=ports) as suite:
        suite.wait_for_line("lectern predict flowers photo.jpg --url", seconds=300)
        main_in("models", f"--url={url}")
        main_in("predict", "flowers", photo, "--top=2", f"--url={url}")
        main_in(
            "explain", "flowers", photo, "--method=gradcam", f"--out={tmp_path}", f"--url={url}"
        )
        main_in(
            "explain",
            "flowers",
            photo,
            "--method=occlusion",
            "--score",
            f"--out={tmp_path}",
            f"--url={url}",
        )
        assert suite.stop() == 0, suite.output
    output = capsys.readouterr().out
    assert "1 AVAILABLE" in output
    assert "tulip" in output or "rose" in output
    assert re.search(r"photo-occlusion.png \(class \d, deletion 0\.\d+, insertion 0\.\d+\)", output)
    with Image.open(tmp_path / "photo-gradcam.png") as picture:
        assert picture.size == (400, 300)


def test_a_prompt_is_printed_with_its_continuation(url, capsys):
    main_in(
        "generate",
        "writer",
        "--prompt=In the [bold]\nbeginning",
        "--seed=3",
        "--temperature=0.5",
        f"--url={url}",
    )
    expected = "In the [bold]\nbeginning ‹23 letters, seed 3, 0.5°›\n"
    # The gateway logs in this process too.
    assert capsys.readouterr().out.endswith(f"\n{expected}")
    assert "expected one of" in fails(capsys, "generate", "classifier", f"--url={url}")


@pytest.mark.parametrize(
    ("probability", "score", "text"),
    [
        (0.25, None, "25.0%"),
        (0.25, 0.25, "25.0%"),
        (None, -3.5, "score -3.5"),
        (None, None, "not finite"),
    ],
)
def test_a_class_is_shown_with_its_probability_or_score(probability, score, text):
    assert _certainty(ClassProbability("rose", 1, probability, score)) == text


def test_serve_without_a_repository_says_how_to_make_one(tmp_path):
    with running(*module("lectern", "serve", str(tmp_path))) as suite:
        assert suite.wait(60) == 2
    assert "lectern export MODEL.keras --name NAME" in suite.output


def test_a_map_is_red_for_the_class_and_blue_against_it():
    attribution = np.zeros((2, 2))
    attribution[0, 0], attribution[1, 1] = 1, -1
    picture = np.asarray(overlay(Image.new("RGB", (2, 2), "white"), attribution))
    assert picture[0, 0, 0] > picture[0, 0, 2]
    assert picture[1, 1, 2] > picture[1, 1, 0]
    assert list(picture[0, 1]) == [255, 255, 255]
