from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cachetools import LRUCache

from services.gateway.request.context import RequestContext
from services.gateway.request.errors import ModelServerProblem, NotReady
from services.gateway.upstream import catalog
from services.gateway.upstream.catalog import Catalog
from services.gateway.upstream.model_server import ModelRef
from tests.fakes import (
    AVAILABLE,
    CLASSIFIER,
    HALF_PLUS_TWO,
    LABELS,
    LOADING,
    FakeSignature,
    FakeVersion,
)
from tests.processes import wait_until

CLASSIFIER_REF = ModelRef("classifier")


@pytest.fixture
def models(model_server) -> Catalog:
    return Catalog(model_server, ["classifier"])


def test_it_knows_signatures_classes_and_their_names(models):
    info = models.model(CLASSIFIER_REF, RequestContext.lasting(5))
    assert (info.name, info.version) == ("classifier", 1)
    # TensorFlow's own init op is no signature that a client can run.
    assert sorted(info.signatures) == sorted(CLASSIFIER)
    assert info.class_count == 3
    assert [info.label(index) for index in range(4)] == ["zero", "one", "two", None]


def test_a_model_that_is_no_classifier_has_no_classes(models):
    info = models.model(ModelRef("half_plus_two"), RequestContext.lasting(5))
    assert info.class_count is None
    assert info.label(0) is None


def test_a_plain_export_of_a_classifier_has_classes_without_names(models):
    info = models.model(ModelRef("plain"), RequestContext.lasting(5))
    assert info.classes == [None, None, None]


@pytest.mark.parametrize(
    "labels",
    [
        FakeSignature(lambda _: {}, {"x": (np.float32, (-1,))}, {"y": (np.float32, (-1,))}),
        FakeSignature(
            lambda inputs: {"label": inputs["class_index"]},
            {"class_index": (np.int32, (-1,))},
            {"label": (np.int32, (-1,))},
        ),
        FakeSignature(
            lambda inputs: {"label": np.array(LABELS[:1], object)[inputs["class_index"]]},
            {"class_index": (np.int32, (-1,))},
            {"label": (np.object_, (-1,))},
        ),
    ],
    ids=["another form", "numbers", "one that fails"],
)
def test_a_model_serves_without_the_names_of_its_classes(models, fake, labels):
    fake.models["classifier"][1] = FakeVersion({**CLASSIFIER, "class_labels": labels})
    info = models.model(CLASSIFIER_REF, RequestContext.lasting(5))
    assert info.class_count == 3
    assert info.label(0) is None


def test_it_asks_once_for_a_while(models, fake):
    first = models.model(CLASSIFIER_REF, RequestContext.lasting(5))
    fake.stop()
    assert models.model(CLASSIFIER_REF, RequestContext.lasting(5)) is first


def test_one_thread_refreshes_while_others_use_the_cached_entry(models, fake, monkeypatch):
    monkeypatch.setattr(catalog, "SECONDS_TO_LIVE", 0.0)
    first = models.model(CLASSIFIER_REF, RequestContext.lasting(5))
    monkeypatch.setattr(catalog, "SECONDS_TO_LIVE", 60.0)
    fake.models["classifier"][2] = FakeVersion(HALF_PLUS_TWO)
    fake.hold()
    with ThreadPoolExecutor(1) as pool:
        anew = pool.submit(models.model, CLASSIFIER_REF, RequestContext.lasting(30))
        wait_until(lambda: models._entries[CLASSIFIER_REF][0] > time.monotonic(), 10, "one asks")
        assert models.model(CLASSIFIER_REF, RequestContext.lasting(5)) is first
        assert not anew.done()
        fake.release()
        assert anew.result(30).version == 2
    assert models.model(CLASSIFIER_REF, RequestContext.lasting(5)).version == 2


def test_a_model_that_has_gone_is_not_remembered(models, fake, monkeypatch):
    codec = ModelRef("codec")
    monkeypatch.setattr(catalog, "SECONDS_TO_LIVE", 0.0)
    models.model(codec, RequestContext.lasting(5))
    monkeypatch.setattr(catalog, "SECONDS_TO_LIVE", 60.0)
    del fake.models["codec"]
    for _ in range(2):
        with pytest.raises(ModelServerProblem):
            models.model(codec, RequestContext.lasting(5))


def test_a_new_version_is_noticed_after_the_while(models, fake, monkeypatch):
    monkeypatch.setattr(catalog, "SECONDS_TO_LIVE", 0.0)
    models.model(CLASSIFIER_REF, RequestContext.lasting(5))
    fake.models["classifier"][2] = FakeVersion(HALF_PLUS_TWO)
    info = models.model(CLASSIFIER_REF, RequestContext.lasting(5))
    assert info.version == 2
    assert sorted(info.signatures) == ["serving_default"]


def test_a_new_version_is_noticed_at_once_when_it_answers(models, fake):
    models.model(CLASSIFIER_REF, RequestContext.lasting(5))
    fake.models["classifier"][2] = FakeVersion(HALF_PLUS_TWO)
    assert models.model(CLASSIFIER_REF, RequestContext.lasting(5)).version == 1
    models.forget_if_replaced(CLASSIFIER_REF, 1)
    assert models.model(CLASSIFIER_REF, RequestContext.lasting(5)).version == 1
    models.forget_if_replaced(CLASSIFIER_REF, 2)
    assert models.model(CLASSIFIER_REF, RequestContext.lasting(5)).version == 2


def test_versions_are_remembered_apart(models, fake):
    fake.models["classifier"][2] = FakeVersion(HALF_PLUS_TWO)
    assert models.model(ModelRef("classifier", 1), RequestContext.lasting(5)).version == 1
    assert models.model(CLASSIFIER_REF, RequestContext.lasting(5)).version == 2


def test_missing_models_are_not_cached(models, fake):
    with pytest.raises(ModelServerProblem):
        models.model(ModelRef("later"), RequestContext.lasting(5))
    fake.models["later"] = {1: FakeVersion(HALF_PLUS_TWO)}
    assert models.model(ModelRef("later"), RequestContext.lasting(5)).version == 1


def test_the_number_of_cached_references_is_limited(models, fake, monkeypatch):
    monkeypatch.setattr(models, "_entries", LRUCache(3))
    for number in range(5):
        fake.labels[f"label{number}"] = 1
        ref = ModelRef("classifier", label=f"label{number}")
        assert models.model(ref, RequestContext.lasting(5)).version == 1
    assert len(models._entries) == 3


@pytest.mark.parametrize("ref", [CLASSIFIER_REF, ModelRef("classifier", 1)])
def test_a_model_that_still_loads_is_not_ready_rather_than_unknown(models, fake, ref):
    fake.models["classifier"][1].state = LOADING
    with pytest.raises(NotReady, match="'classifier' is still loading"):
        models.model(ref, RequestContext.lasting(5))
    fake.models["classifier"][1].state = AVAILABLE
    assert models.model(ref, RequestContext.lasting(5)).version == 1


@pytest.mark.parametrize("ref", [CLASSIFIER_REF, ModelRef("classifier", 1)])
def test_a_model_that_a_new_model_server_does_not_know_yet_is_not_ready(models, fake, ref):
    version = fake.models.pop("classifier")
    with pytest.raises(NotReady, match="'classifier' is still loading"):
        models.model(ref, RequestContext.lasting(5))
    fake.models["classifier"] = version
    assert models.model(ref, RequestContext.lasting(5)).version == 1


@pytest.mark.parametrize("ref", [CLASSIFIER_REF, ModelRef("classifier", 1)])
def test_a_model_that_becomes_available_before_its_state_is_asked_is_found(
    models, loads_before_its_state_is_asked, ref
):
    loads_before_its_state_is_asked("classifier", 1)
    assert models.model(ref, RequestContext.lasting(5)).version == 1


def test_an_unknown_version_of_a_loaded_model_is_not_found(models, fake):
    fake.models["classifier"][2] = FakeVersion(CLASSIFIER, LOADING)
    with pytest.raises(ModelServerProblem) as caught:
        models.model(ModelRef("classifier", 7), RequestContext.lasting(5))
    assert caught.value.code == 404


def test_a_label_of_a_version_that_is_gone_is_not_found(models, fake):
    fake.labels["canary"] = 7
    with pytest.raises(ModelServerProblem) as caught:
        models.model(ModelRef("classifier", label="canary"), RequestContext.lasting(5))
    assert caught.value.code == 404


def test_a_model_server_that_dies_before_its_state_is_asked_is_unavailable(
    models, fake, model_server, monkeypatch
):
    fake.models["classifier"][1].state = LOADING
    ask = model_server.status

    def die_and_ask(*arguments):
        fake.stop()
        return ask(*arguments)

    monkeypatch.setattr(model_server, "status", die_and_ask)
    with pytest.raises(ModelServerProblem) as caught:
        models.model(CLASSIFIER_REF, RequestContext.lasting(5))
    assert caught.value.code == 503
