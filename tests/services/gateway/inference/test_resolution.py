from __future__ import annotations

import pytest

from services.gateway.inference.resolution import (
    ResolvedRequest,
    Resolver,
    choices_of,
    tasks_of,
)
from services.gateway.inference.tasks import (
    DECODE_LATENT,
    ENCODE_LATENT,
    GENERATE,
    IMAGE_CLASSIFIER,
    PREDICT,
    SALIENCY,
    VISUALIZE,
    Task,
)
from services.gateway.request.context import RequestContext
from services.gateway.request.errors import InvalidRequest
from services.gateway.upstream.catalog import ModelInfo
from services.gateway.upstream.model_server import ModelRef
from services.serving_api.protos import types_pb2
from services.serving_api.signatures import Signature, TensorSpec

SPEC = TensorSpec(types_pb2.DT_FLOAT, (None,))
# Of all tasks together, so that every signature has what its task needs.
NAMES = (
    "images class_index channel seed temperature prompt text latent code mean attribution "
    "activation"
)
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
        (["generate_text"], ["generate_text"]),
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
    "name",
    [
        *("saliency_x", "feature_visualization_x", "generate", "generate_text"),
        *("decode_latent", "compress"),
    ],
)
def test_a_signature_of_the_right_name_without_the_tensors_is_no_task(name):
    assert tasks_of(ModelInfo("m", 1, {name: Signature({}, {}, "")})) == []


class OneModel:
    """A catalog of one model."""

    def __init__(self, info: ModelInfo) -> None:
        self._info = info

    def model(self, _ref: ModelRef, _context: RequestContext) -> ModelInfo:
        return self._info


def resolve(info: ModelInfo, task: Task, **options: object) -> ResolvedRequest:
    resolver = Resolver(OneModel(info), {})
    return resolver.task(RequestContext.lasting(5), ModelRef("m"), task, **options)


def test_a_choice_leads_to_its_signature():
    resolved = resolve(CLASSIFIER, SALIENCY, choice="gradient")
    assert (resolved.signature_name, resolved.choice) == ("saliency_gradient", "gradient")
    assert resolved.signature is CLASSIFIER.signatures["saliency_gradient"]


def test_without_a_choice_the_tasks_default_is_taken():
    assert resolve(CLASSIFIER, SALIENCY).choice == "gradient"


@pytest.mark.parametrize(
    ("task", "prefix"), [(SALIENCY, "saliency_"), (VISUALIZE, "feature_visualization_")]
)
def test_without_a_choice_and_a_default_the_first_by_name_is_taken(task, prefix):
    assert resolve(model(f"{prefix}smoothgrad", f"{prefix}gradcam"), task).choice == "gradcam"


def plain(images: tuple[int | None, ...], **outputs: tuple[int | None, ...]) -> ModelInfo:
    """A model as `model.export()` of Keras writes it."""
    answers = {name: TensorSpec(types_pb2.DT_FLOAT, shape) for name, shape in outputs.items()}
    inputs = {"keras_tensor": TensorSpec(types_pb2.DT_FLOAT, images)}
    return ModelInfo("m", 1, {"serving_default": Signature(inputs, answers, "")})


IMAGE = (None, 8, 8, 3)
PLAIN = plain(IMAGE, output_0=(None, 5))


@pytest.mark.parametrize(
    "info",
    [
        PLAIN,
        plain((None, 28, 28), output_0=(None, 10)),
        plain((None, None, None, 3), output_0=(None, 1)),
        plain((1, 8, 8, 1), output_0=(1, 5)),
        plain(IMAGE, scores=(None, 5), features=(None, 2, 2, 16)),
    ],
)
def test_every_classifier_of_images_has_saliency_from_outside(info):
    assert tasks_of(info) == ["predict", "saliency"]
    assert list(choices_of(info, SALIENCY)) == ["occlusion", "rise"]
    resolved = resolve(info, SALIENCY)
    assert (resolved.choice, resolved.signature_name) == ("occlusion", "serving_default")
    assert resolved.kind.expensive
    assert resolve(info, SALIENCY, choice="rise").choice == "rise"


@pytest.mark.parametrize(
    "info",
    [
        plain((None, 4), output_0=(None, 3)),
        plain((None, None, 8), output_0=(None, 3)),  # A sequence.
        plain(IMAGE, output_0=(None, 8, 8, 3)),
        plain(IMAGE, output_0=(None,)),
        plain(IMAGE, output_0=(None, None)),
        plain(IMAGE, mean=(None, 5), log_variance=(None, 5)),
    ],
)
def test_what_is_no_classifier_of_images_has_none(info):
    assert tasks_of(info) == ["predict"]
    with pytest.raises(InvalidRequest, match=r"no task 'saliency'.*lectern export FILE --name m"):
        resolve(info, SALIENCY, choice="occlusion")


def test_a_method_that_needs_a_signature_says_how_to_get_it():
    with pytest.raises(
        InvalidRequest,
        match=r"'gradient', expected one of \['occlusion', 'rise'\]; `lectern export",
    ):
        resolve(PLAIN, SALIENCY, choice="gradient")


def test_predictions_of_a_classifier_of_images_are_not_expensive():
    assert not resolve(PLAIN, PREDICT).kind.expensive
    resolver = Resolver(OneModel(PLAIN), {})
    signature = resolver.signature(RequestContext.lasting(5), ModelRef("m"), "serving_default")
    assert not signature.kind.expensive


def test_the_classifier_behind_a_map_may_be_missing():
    resolved = resolve(model("saliency_gradient"), SALIENCY)
    with pytest.raises(InvalidRequest, match=r"'serving_default' that takes images and answers"):
        resolved.then(SALIENCY, IMAGE_CLASSIFIER, 1)


def test_an_unknown_choice_names_the_known_ones():
    with pytest.raises(InvalidRequest, match=r"saliency method 'magic'.*\['gradcam', 'gradient'\]"):
        resolve(CLASSIFIER, SALIENCY, choice="magic")


@pytest.mark.parametrize(
    ("task", "options"),
    [
        (PREDICT, {}),
        (SALIENCY, {"choice": "gradient"}),
        (VISUALIZE, {"choice": "conv"}),
        (VISUALIZE, {}),
        (GENERATE, {"kind": ENCODE_LATENT}),
    ],
)
def test_a_missing_task_names_what_there_is(task, options):
    with pytest.raises(InvalidRequest, match=r"no task .*\['other'\]"):
        resolve(NOTHING, task, **options)


def test_a_missing_form_of_a_task_names_its_signature():
    with pytest.raises(InvalidRequest, match=r"signature 'encode_latent'.*form of 'generate'"):
        resolve(model("generate"), GENERATE, kind=ENCODE_LATENT)


def test_the_next_step_goes_to_the_version_that_answered_the_first():
    first = resolve(model("generate", "decode_latent"), GENERATE)
    step = first.then(GENERATE, DECODE_LATENT, 7)
    assert (step.model, step.signature_name) == (ModelRef("m", 7), "decode_latent")
    assert (step.info.version, step.context) == (7, first.context)


def test_the_next_step_needs_its_signature():
    with pytest.raises(InvalidRequest, match="decode_latent"):
        resolve(model("generate"), GENERATE).then(GENERATE, DECODE_LATENT, 1)


def test_an_unknown_signature_names_the_known_ones():
    resolver = Resolver(OneModel(CLASSIFIER), {})
    with pytest.raises(InvalidRequest, match="'serving_default'"):
        resolver.signature(RequestContext.lasting(5), ModelRef("m"), "nope")


def test_the_model_is_observed():
    assert resolve(CLASSIFIER, PREDICT).context.model == "m"
