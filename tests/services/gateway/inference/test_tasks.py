from __future__ import annotations

import pytest

from services.gateway.inference.tasks import (
    GENERATE,
    PREDICT,
    SALIENCY,
    VISUALIZE,
    choices,
    chosen_signature,
    task_signature,
    tasks_of,
)
from services.gateway.request.errors import InvalidRequest
from services.gateway.upstream.catalog import ModelInfo
from services.serving_api.protos import types_pb2
from services.serving_api.signatures import Signature, TensorSpec

SPEC = TensorSpec(types_pb2.DT_FLOAT, (None,))
# Of all tasks together, so that every signature has what its task needs.
NAMES = "images class_index channel seed temperature latent code mean attribution activation"
TENSORS = dict.fromkeys(NAMES.split(), SPEC)


def model(*names: str, method_name: str = "") -> ModelInfo:
    return ModelInfo("m", 1, {name: Signature(TENSORS, TENSORS, method_name) for name in names})


CLASSIFIER = model("serving_default", "saliency_gradient", "saliency_gradcam", "class_labels")
NOTHING = model("other")


@pytest.mark.parametrize(
    ("names", "tasks"),
    [
        (["saliency_gradient", "serving_default"], ["predict", "saliency"]),
        (["activations", "feature_visualization_conv"], ["activations", "visualize"]),
        (["generate"], ["generate"]),
        (["decode_latent"], ["generate"]),
        (["compress", "decompress"], ["compress", "decompress"]),
        (["generate_more", "compressed", "other"], []),
    ],
)
def test_tasks_follow_from_signatures(names, tasks):
    assert tasks_of(model(*names)) == tasks


@pytest.mark.parametrize("verb", ["classify", "regress"])
def test_a_signature_on_examples_is_known_by_its_method(verb):
    assert tasks_of(model("s", method_name=f"tensorflow/serving/{verb}")) == [verb]


@pytest.mark.parametrize(
    "name", ["saliency_x", "feature_visualization_x", "generate", "decode_latent", "compress"]
)
def test_a_signature_of_the_right_name_without_the_tensors_is_no_task(name):
    assert tasks_of(ModelInfo("m", 1, {name: Signature({}, {}, "")})) == []


def test_choices_follow_from_signatures():
    assert choices(CLASSIFIER, SALIENCY) == ["gradcam", "gradient"]
    name, signature = chosen_signature(CLASSIFIER, SALIENCY, "gradcam")
    assert name == "saliency_gradcam"
    assert signature is CLASSIFIER.signatures[name]


def test_an_unknown_choice_names_the_known_ones():
    with pytest.raises(InvalidRequest, match=r"saliency method 'magic'.*\['gradcam', 'gradient'\]"):
        chosen_signature(CLASSIFIER, SALIENCY, "magic")


@pytest.mark.parametrize(
    "ask",
    [
        lambda m: task_signature(m, PREDICT),
        lambda m: chosen_signature(m, SALIENCY, "gradient"),
        lambda m: chosen_signature(m, VISUALIZE, "conv"),
        lambda m: task_signature(m, GENERATE, "encode_latent"),
    ],
)
def test_a_lacking_task_names_what_there_is(ask):
    with pytest.raises(InvalidRequest, match=r"no task .*\['other'\]"):
        ask(NOTHING)


def test_a_form_of_a_task_that_is_lacking_names_its_signature():
    with pytest.raises(InvalidRequest, match=r"signature 'encode_latent'.*form of 'generate'"):
        task_signature(model("generate"), GENERATE, "encode_latent")
