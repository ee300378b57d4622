from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from werkzeug.serving import make_server

from services.client.client import Client, GatewayError, to_array
from tests.fakes import FakeVersion, classify, quadrants
from tests.processes import ROOT
from tests.services.gateway.images import GREY, PNG

CODE = np.array([[0, 50, 100, 200]], np.uint8)
IMAGE = quadrants(CODE)[0, ..., 0].astype(np.uint8)


@pytest.fixture
def connected(app) -> Iterator[Client]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with Client(f"http://127.0.0.1:{server.port}/") as client:
        yield client
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_lists_what_is_served(connected):
    assert {model.name: model.tasks for model in connected.models()} == {
        "classifier": ["predict", "saliency"],
        "half_plus_two": ["predict"],
    }


def test_files_contents_and_arrays_are_predicted_alike(connected, tmp_path: Path):
    (tmp_path / "a.png").write_bytes(PNG)
    predictions = connected.predict("classifier", [tmp_path / "a.png", PNG, GREY], top=2)
    assert [prediction.file for prediction in predictions] == ["a.png", "image", "array.png"]
    assert len({prediction.probability for prediction in predictions}) == 1
    expected = classify({"images": GREY[np.newaxis].astype(np.float32)})["class_index"][0]
    assert predictions[0].class_index == expected
    assert len(predictions[0].top) == 2


def test_a_version_may_follow_the_model(connected, fake):
    fake.models["classifier"][2] = FakeVersion(fake.models["classifier"][1].signatures)
    connected.predict("classifier/versions/1", [GREY], invert=True)
    assert fake.requests[-1].model_spec.version.value == 1


def test_it_explains_and_looks_inside(connected):
    (explanation,) = connected.explain("classifier", [GREY], class_index=1)
    assert explanation.class_index == 1
    assert np.shape(explanation.attribution) == (28, 28)
    (activation,) = connected.activations("layered", [GREY], layer="dense")
    np.testing.assert_array_equal(activation.activation, GREY.ravel()[:5])
    found = connected.visualize("layered", "conv", [1, 0], seed=2)
    assert [(each.channel, each.activation) for each in found] == [(1, 3.0), (0, 2.0)]
    np.testing.assert_array_equal(to_array(found[0].image), np.full((28, 28), 10))


def test_it_generates_and_walks(connected):
    assert [sample.seed for sample in connected.generate("generator", count=2, seed=4)] == [4, 5]
    walk = connected.generate("generator", [IMAGE, 255 - IMAGE], steps=3)
    assert len(walk) == 3
    np.testing.assert_array_equal(to_array(walk[0].image), IMAGE)


def test_what_it_compresses_it_restores(connected):
    container = connected.compress("codec", [IMAGE, 255 - IMAGE])
    assert container.startswith(b"LCTC")
    np.testing.assert_array_equal(connected.decompress("codec", container), [IMAGE, 255 - IMAGE])


def test_an_error_is_the_gateways_own(connected):
    with pytest.raises(GatewayError, match=r"404: .*nope") as caught:
        connected.predict("nope", [PNG])
    assert caught.value.status == 404


def test_it_needs_neither_flask_nor_grpc():
    program = (
        "import sys, services.client.client; print(sorted({'flask', 'grpc'} & {*sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
