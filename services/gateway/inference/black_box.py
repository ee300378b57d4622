"""Explains a classifier of images from outside: all that it is asked for are predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from services.gateway.codecs.image_decoder import find_image_input
from services.gateway.inference.faithfulness import STEPS, Faithfulness, measure_faithfulness
from services.gateway.inference.perturbation import PATCHES, Ask, Mask, hide, occlusion, rise
from services.gateway.inference.pipeline import Pipeline
from services.gateway.inference.resolution import ResolvedRequest
from services.gateway.inference.tasks import OCCLUSION
from services.gateway.request.errors import ContentTooLarge, DeadlineExceeded
from services.gateway.upstream.catalog import find_scores
from services.gateway.upstream.model_server import ModelRef, Prediction
from services.serving_api.arrays import Arrays

TOP_CLASS = -1

MAX_PIXELS = 2**20
"""Maximum size of an image; memory grows with it, and larger ones would not meet a deadline."""

_BATCH_BYTES = 8 * 2**20
"""Maximum size of the copies of an image in one call, unless a single copy is larger."""

_FAITHFULNESS_PREDICTIONS = 2 * (STEPS + 1)


class Options(NamedTuple):
    """What a client asks of an explanation.

    Attributes:
        class_index: the class to explain, or `TOP_CLASS`.
        masks: number of masks of RISE.
        seed: determines these masks.
        faithfulness: whether to measure the faithfulness of each attribution.
    """

    class_index: int
    masks: int
    seed: int
    faithfulness: bool


class Explained(NamedTuple):
    """The attributions of the pixels of images to a class.

    Attributes:
        outputs: `attribution` [N, H, W] and `class_index` [N], as a signature for saliency answers
            them.
        version: the model version that answered.
        faithfulness: of each attribution, if it was asked for.
    """

    outputs: Arrays
    version: int
    faithfulness: list[Faithfulness]


def explain(
    pipeline: Pipeline, request: ResolvedRequest, images: npt.NDArray[Any], options: Options
) -> Explained:
    """Explains each image by the method that was chosen: `occlusion` or `rise`.

    Args:
        pipeline: makes the predictions.
        request: the request to the classifier; its choice is the method.
        images: images as the classifier takes them, [N, H, W, C] or [N, H, W].
        options: what the client asks for.

    Raises:
        ContentTooLarge: there are too many images, or they are too large.
        DeadlineExceeded: the deadline passed; the message says after how many predictions.
        Problem: as `Pipeline.run` raises it.
    """
    per_image = 1 + (PATCHES if request.choice == OCCLUSION else options.masks)
    per_image += _FAITHFULNESS_PREDICTIONS * options.faithfulness
    with _black_box(pipeline, request, images, per_image) as box:
        if options.class_index == TOP_CLASS:
            classes = box.top_classes(images)
        else:
            classes = np.full(len(images), options.class_index)
        asks = box.asks(images, classes)
        size = images.shape[1:3]
        if request.choice == OCCLUSION:
            maps = [occlusion(ask, size) for ask in asks]
        else:
            maps = [rise(ask, size, options.masks, options.seed) for ask in asks]
        measured = list(map(measure_faithfulness, asks, maps)) if options.faithfulness else []
        outputs = {"attribution": np.stack(maps), "class_index": classes}
        return Explained(outputs, box.version, measured)


def measure(
    pipeline: Pipeline,
    request: ResolvedRequest,
    images: npt.NDArray[Any],
    outputs: Arrays,
) -> list[Faithfulness]:
    """Measures the faithfulness of the attributions that a signature of a model answered.

    Args:
        pipeline: makes the predictions.
        request: the request to the classifier.
        images: images as the classifier takes them.
        outputs: their `attribution` and `class_index`.

    Raises:
        Problem: as `explain` raises it.
    """
    with _black_box(pipeline, request, images, _FAITHFULNESS_PREDICTIONS) as box:
        asks = box.asks(images, outputs["class_index"])
        return list(map(measure_faithfulness, asks, outputs["attribution"]))


@contextmanager
def _black_box(
    pipeline: Pipeline, request: ResolvedRequest, images: npt.NDArray[Any], per_image: int
) -> Iterator[_BlackBox]:
    """Gives the classifier of a request, for at most `per_image` predictions for each image."""
    height, width = images.shape[1:3]
    if height * width > MAX_PIXELS:
        raise ContentTooLarge(
            f"received images of {width} x {height} = {height * width} pixels, which would be "
            f"classified up to {per_image} times each, expected at most {MAX_PIXELS} pixels: send "
            "smaller ones, or use another saliency method, without score"
        )
    inputs = {find_image_input(request.signature)[0]: images}
    # What is not finite makes attributions that are not, which JSON shows as null.
    with pipeline.many_calls(request, inputs) as run, np.errstate(invalid="ignore", over="ignore"):
        box = _BlackBox(run, request, pipeline.max_rows)
        try:
            yield box
        except DeadlineExceeded:
            seconds = request.context.deadline - request.context.arrival
            raise DeadlineExceeded(
                f"received {len(images)} images, which need up to {len(images) * per_image} "
                f"predictions; {box.predictions} were made when the deadline of {seconds:.1f} s "
                "passed: send fewer images, ask for fewer masks if the method is 'rise', or raise "
                "LECTERN_TIMEOUT_SECONDS (and Grpc-Timeout, if you send it)"
            ) from None


class _BlackBox:
    """A classifier of images, of which only the scores are known.

    Args:
        run: runs the signature.
        request: the request for the signature.
        max_rows: maximum number of images in one call.

    Attributes:
        predictions: number of images that were classified so far.
        version: the model version that answered; it answers all calls.
    """

    def __init__(
        self,
        run: Callable[[ResolvedRequest, Arrays], Prediction],
        request: ResolvedRequest,
        max_rows: int,
    ) -> None:
        self._run = run
        self._scores_name = find_scores(request.signature) or ""
        needed = {self._scores_name, "class_index"} & request.signature.outputs.keys()
        self._request = request.only(*sorted(needed))
        self._input_name, _ = find_image_input(request.signature)
        shape = request.signature.inputs[self._input_name].shape
        self._fixed_rows = shape[0] if shape else None
        self._max_rows = max_rows
        self.predictions = 0
        self.version = request.info.version

    def top_classes(self, images: npt.NDArray[Any]) -> npt.NDArray[np.integer]:
        """Returns the class of each image that the model puts first."""
        answers = [self._predict(batch) for batch in self._batches(images, images[0].nbytes)]
        if "class_index" in answers[0]:
            return np.concatenate([answer["class_index"] for answer in answers])
        return np.concatenate([answer[self._scores_name].argmax(axis=1) for answer in answers])

    def asks(self, images: npt.NDArray[Any], classes: npt.NDArray[np.integer]) -> list[Ask]:
        """Returns the way to ask for the score of each image's class."""
        return [
            partial(self._ask, image, int(class_index))
            for image, class_index in zip(images, classes, strict=True)
        ]

    def _ask(
        self, image: npt.NDArray[Any], class_index: int, masks: Iterable[Mask]
    ) -> Iterator[tuple[Mask, float]]:
        for batch in self._batches(masks, image.nbytes):
            scores = self._predict(hide(image, batch))[self._scores_name][:, class_index]
            yield from zip(batch, scores.tolist(), strict=True)

    def _batches(
        self, rows: Iterable[npt.NDArray[Any]], row_bytes: int
    ) -> Iterator[npt.NDArray[Any]]:
        """Yields as many rows at a time as one call may have."""
        count = self._fixed_rows or min(max(_BATCH_BYTES // row_bytes, 1), self._max_rows)
        remaining = iter(rows)
        while batch := list(islice(remaining, count)):
            yield np.stack(batch)

    def _predict(self, images: npt.NDArray[Any]) -> Arrays:
        count = len(images)
        if self._fixed_rows:
            images = np.resize(images, (self._fixed_rows, *images.shape[1:]))  # Repeats them.
        outputs, self.version = self._run(self._request, {self._input_name: images})
        self._request = replace(
            self._request, model=ModelRef(self._request.model.name, self.version)
        )
        self.predictions += count
        return {name: output[:count] for name, output in outputs.items()}
