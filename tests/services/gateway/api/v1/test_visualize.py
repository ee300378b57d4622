from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from services.serving_api.tensors import to_ndarray
from tests.services.gateway.problems import assert_problem

VISUALIZE = "/v1/models/layered:visualize"
AS_JSON = {"Accept": "application/json"}


@pytest.mark.parametrize("where", ["query", "form", "document"])
def test_layer_channels_and_seed_can_be_chosen(client, where):
    if where == "document":
        sent = {"json": {"layer": "dense", "channels": [4, 0], "seed": 7}}
    else:
        parameters = {"layer": "dense", "channels": "4,0", "seed": 7}
        sent = {"query_string": parameters} if where == "query" else {"data": parameters}
    answer = client.post(VISUALIZE, headers=AS_JSON, **sent).json
    assert (answer["layer"], answer["seed"]) == ("dense", 7)
    assert answer["model"] == {"name": "layered", "version": "1"}
    found = [(each["channel"], each["activation"]) for each in answer["visualizations"]]
    assert found == [(4, 11.0), (0, 7.0)]
    png = base64.b64decode(answer["visualizations"][0]["image"]["b64"])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png))), np.full((28, 28), 40))


def test_nothing_at_all_shows_the_first_channels_of_the_first_layer(client, fake):
    response = client.post(VISUALIZE)
    assert response.mimetype == "image/png"
    assert max(Image.open(io.BytesIO(response.data)).size) >= 280
    # Its activations say that it has two.
    assert to_ndarray(fake.requests[-1].inputs["channel"]).tolist() == [0, 1]
    assert fake.requests[-1].model_spec.signature_name == "feature_visualization_conv"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("layer=magic", ["visualize layer 'magic'", "['conv', 'dense']"]),
        ("channels=2", ["channel 2", "0 to 1", "'conv'"]),
        ("channels=-1", ["'channels.0'", "-1"]),
        ("channels=", ["channels"]),
        ("channels=" + ",".join(["0"] * 65), ["at most 64"]),
        ("seed=2147483648", ["'seed'"]),
        ("sed=1", ["'sed'"]),
    ],
)
def test_a_bad_parameter_is_explained(client, query, words):
    assert_problem(client.post(f"{VISUALIZE}?{query}"), 400, *words)


def test_a_model_without_visualization_names_the_tasks_it_has(client):
    response = client.post("/v1/models/classifier:visualize")
    assert_problem(response, 400, "no task 'visualize'", "['predict', 'saliency']")
