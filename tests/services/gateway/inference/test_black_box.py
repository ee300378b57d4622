"""Explanations from outside, over a model of a few lines of numpy."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from services.gateway.inference.black_box import TOP_CLASS, Options, explain, measure
from services.gateway.inference.faithfulness import STEPS
from services.gateway.inference.perturbation import PATCHES
from services.gateway.inference.resolution import ResolvedRequest, Resolver
from services.gateway.inference.tasks import SALIENCY
from services.gateway.request.context import RequestContext
from services.gateway.request.errors import ContentTooLarge, DeadlineExceeded
from services.gateway.upstream.catalog import ModelInfo
from services.gateway.upstream.model_server import ModelRef, Prediction
from services.serving_api.arrays import Arrays
from services.serving_api.dtypes import data_type_of
from services.serving_api.signatures import Signature, TensorSpec

WEIGHTS = np.random.default_rng(2).normal(size=(28 * 28 * 3, 4)).astype(np.float32) / 1000


def classify(images: np.ndarray) -> Arrays:
    with np.errstate(invalid="ignore"):
        return {"output_0": images.reshape(len(images), -1).astype(np.float32) @ WEIGHTS}


@dataclass
class Pipeline:
    """Runs a function instead of a model server.

    Attributes:
        function: from images to outputs.
        max_rows: as in the gateway's.
        version: the version that answers.
        calls: the model and the number of images of each call so far.
        slots: the number of slots that were taken.
    """

    function: Callable[[np.ndarray], Arrays] = classify
    max_rows: int = 64
    version: int = 3
    calls: list[tuple[ModelRef, int]] = field(default_factory=list)
    slots: int = 0

    @contextmanager
    def many_calls(self, _request: ResolvedRequest, _inputs: Arrays) -> Iterator[Callable]:
        self.slots += 1
        yield self._run

    def _run(self, request: ResolvedRequest, inputs: Arrays) -> Prediction:
        if time.monotonic() > request.context.deadline:
            raise DeadlineExceeded
        [images] = inputs.values()
        self.calls.append((request.model, len(images)))
        return Prediction(self.function(images), self.version)

    def predictions(self) -> int:
        return sum(rows for _, rows in self.calls)


def resolved(
    method: str | None, shape: tuple[int | None, ...], dtype: type = np.float32, seconds: float = 60
) -> ResolvedRequest:
    image = TensorSpec(data_type_of(np.dtype(dtype)), shape)
    scores = TensorSpec(data_type_of(np.dtype(np.float32)), (shape[0], 4))
    signature = Signature({"keras_tensor": image}, {"output_0": scores}, "")
    info = ModelInfo("m", 1, {"serving_default": signature})

    class OneModel:
        def model(self, _ref: ModelRef, _context: RequestContext) -> ModelInfo:
            return info

    context = RequestContext.lasting(seconds)
    return Resolver(OneModel(), {}).task(context, ModelRef("m"), SALIENCY, choice=method)


IMAGES = np.random.default_rng(3).uniform(0, 255, (2, 28, 28, 3)).astype(np.float32)
SMALL = (None, 28, 28, 3)


def options(class_index: int = TOP_CLASS, masks: int = 20, faithfulness: bool = False) -> Options:
    return Options(class_index, masks, 0, faithfulness)


@pytest.mark.parametrize(("method", "needed"), [("occlusion", 1 + PATCHES), ("rise", 20)])
def test_each_image_is_explained_for_its_top_class(method, needed):
    pipeline = Pipeline()
    explained = explain(pipeline, resolved(method, SMALL), IMAGES, options())
    top = classify(IMAGES)["output_0"].argmax(1)
    np.testing.assert_array_equal(explained.outputs["class_index"], top)
    assert explained.outputs["attribution"].shape == (2, 28, 28)
    assert explained.faithfulness == []
    assert explained.version == 3
    assert pipeline.predictions() == 2 + 2 * needed
    assert pipeline.slots == 1


def test_an_image_is_explained_alike_alone_and_among_others():
    together = explain(Pipeline(), resolved("rise", SMALL), IMAGES, options(1))
    alone = explain(Pipeline(max_rows=7), resolved("rise", SMALL), IMAGES[1:], options(1))
    np.testing.assert_allclose(
        together.outputs["attribution"][1], alone.outputs["attribution"][0], rtol=1e-4, atol=1e-6
    )


def test_the_classes_own_name_for_the_top_class_counts():
    def tie(images: np.ndarray) -> Arrays:
        rows = len(images)
        return {"output_0": np.ones((rows, 4)), "class_index": np.full(rows, 2, np.int32)}

    explained = explain(Pipeline(tie), resolved("rise", SMALL), IMAGES, options())
    assert explained.outputs["class_index"].tolist() == [2, 2]
    assert not explained.outputs["attribution"].any()


def test_all_calls_go_to_the_version_that_answered_the_first():
    pipeline = Pipeline()
    explain(pipeline, resolved("occlusion", SMALL), IMAGES, options())
    first, *others = [model for model, _ in pipeline.calls]
    assert first == ModelRef("m")
    assert set(others) == {ModelRef("m", 3)}


def test_no_output_is_computed_that_is_not_needed():
    asked: set[tuple[str, ...]] = set()

    class Watched(Pipeline):
        def _run(self, request: ResolvedRequest, inputs: Arrays) -> Prediction:
            asked.add(request.outputs)
            return super()._run(request, inputs)

    request = resolved("rise", SMALL)
    features = {"features": TensorSpec(data_type_of(np.dtype(np.float32)), (None, 7, 7, 512))}
    signature = replace(request.signature, outputs={**request.signature.outputs, **features})
    explain(Watched(), replace(request, signature=signature), IMAGES, options())
    assert asked == {("output_0",)}


def test_no_call_has_more_rows_than_calls_may_have():
    pipeline = Pipeline(max_rows=10)
    explain(pipeline, resolved("rise", SMALL), IMAGES, options())
    assert [rows for _, rows in pipeline.calls] == [2, 10, 10, 10, 10]


@pytest.mark.parametrize("fixed", [1, 8])
def test_a_model_of_a_fixed_number_of_rows_gets_as_many(fixed):
    images = np.repeat(IMAGES[:1], fixed, axis=0)
    pipeline = Pipeline()
    explained = explain(pipeline, resolved("rise", (fixed, 28, 28, 3)), images, options(0))
    assert {rows for _, rows in pipeline.calls} == {fixed}
    free = explain(Pipeline(), resolved("rise", SMALL), images, options(0))
    np.testing.assert_allclose(
        explained.outputs["attribution"], free.outputs["attribution"], rtol=1e-4, atol=1e-6
    )


def test_images_of_whole_numbers_stay_whole_numbers():
    seen: set[np.dtype] = set()

    def look(images: np.ndarray) -> Arrays:
        seen.add(images.dtype)
        return classify(images)

    images = IMAGES.astype(np.uint8)
    explain(Pipeline(look), resolved("occlusion", SMALL, np.uint8), images, options())
    assert seen == {np.dtype(np.uint8)}


@pytest.mark.parametrize("method", ["occlusion", "rise"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e38])
def test_what_is_not_finite_is_explained_without_a_complaint(method, value):
    images = IMAGES.copy()
    images[0, 0] = value
    images[0, 1, 1] = -value
    explained = explain(Pipeline(), resolved(method, SMALL), images, options(faithfulness=True))
    assert explained.outputs["attribution"].shape == (2, 28, 28)
    assert np.isfinite(explained.outputs["attribution"][1]).all()


def test_the_memory_of_a_large_image_does_not_grow_with_the_masks():
    """All masked images at once would take 300 MB."""

    def first_pixel(images: np.ndarray) -> Arrays:
        return {"output_0": images[:, 0, 0, [0, 0, 0, 0]]}

    image = np.random.default_rng(4).uniform(0, 255, (1, 224, 224, 3)).astype(np.float32)
    pipeline = Pipeline(first_pixel)
    request = resolved("rise", (None, 224, 224, 3))
    tracemalloc.start()
    try:
        explain(pipeline, request, image, options(0, masks=500))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 60e6
    assert max(rows for _, rows in pipeline.calls) == 13


def test_an_image_that_is_too_large_is_refused_before_it_is_classified():
    pipeline = Pipeline()
    image = np.broadcast_to(np.float32(0), (1, 1025, 1024, 3))
    with pytest.raises(ContentTooLarge, match=r"1024 x 1025 = 1049600 pixels.* most 1048576"):
        explain(pipeline, resolved("rise", (None, None, None, 3)), image, options())
    assert pipeline.slots == 0


def test_the_deadline_holds_and_the_error_says_what_is_needed():
    def slow(images: np.ndarray) -> Arrays:
        time.sleep(0.05)
        return classify(images)

    pipeline = Pipeline(slow, max_rows=5)
    request = resolved("rise", SMALL, seconds=0.3)
    start = time.monotonic()
    with pytest.raises(
        DeadlineExceeded,
        match=r"2 images.*16002 predictions; \d+ were made.* 0\.3 s passed.*fewer masks",
    ):
        explain(pipeline, request, IMAGES, options(masks=8000))
    assert time.monotonic() - start < 5
    assert pipeline.predictions() < 200


def test_the_faithfulness_of_each_map_is_measured_in_the_same_slot():
    pipeline = Pipeline()
    explained = explain(
        pipeline, resolved("occlusion", SMALL), IMAGES, options(2, faithfulness=True)
    )
    scores = classify(IMAGES)["output_0"][:, 2]
    starts = [each.deletion_curve[0] for each in explained.faithfulness]
    np.testing.assert_allclose(starts, scores, rtol=1e-4)
    assert pipeline.predictions() == 2 * (1 + PATCHES + 2 * (STEPS + 1))
    assert pipeline.slots == 1


def test_the_maps_of_a_signature_are_measured():
    pipeline = Pipeline()
    best = WEIGHTS[:, 1].reshape(28, 28, 3).sum(-1)
    outputs = {"attribution": np.stack([best, -best]), "class_index": np.array([1, 1])}
    images = np.full((2, 28, 28, 3), 255, np.float32)
    images[:, ::2] = 0
    first, second = measure(pipeline, resolved("rise", SMALL), images, outputs)
    assert first.deletion == pytest.approx(second.insertion, rel=0.05, abs=0.05)
    assert pipeline.slots == 1
