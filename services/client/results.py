"""Results of the client's calls, each with the model and the version that answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from services.client.images import Pixels, to_pixels

Json = Mapping[str, Any]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Result:
    """Attributes of every result.

    Attributes:
        model: name of the model that answered.
        version: its version.
    """

    model: str
    version: int


def answered_by(member: Json) -> dict[str, Any]:
    """Returns the fields of a Result from the `model` of an answer."""
    return {"model": member["name"], "version": int(member["version"])}


@dataclass(frozen=True)
class ClassProbability:
    """A class and its probability.

    Attributes:
        label: name of the class, None if the model has no labels.
        class_index: index of the class.
        probability: from 0 to 1, None if the model computed a value that is not finite, or scores
            that are no probabilities.
        score: what a model without the output `probabilities` computed, such as a plain
            `model.export()` of Keras; else None.
    """

    label: str | None
    class_index: int
    probability: float | None
    score: float | None


@dataclass(frozen=True)
class Prediction(Result):
    """The most probable classes of one image.

    Attributes:
        label: name of the most probable class.
        class_index: its index.
        probability: its probability.
        score: its score, see `ClassProbability`.
        top: the most probable classes in descending order.
        file: name of the image's file.
    """

    label: str | None
    class_index: int
    probability: float | None
    score: float | None
    top: list[ClassProbability]
    file: str | None

    @classmethod
    def read(cls, answer: Json) -> Iterator[Self]:
        """Yields a result for each image; in a cascade, each names the model that answered it."""
        for item in answer["predictions"]:
            yield cls(
                **answered_by(item.get("model") or answer["model"]),
                **_class_probability(item),
                top=[ClassProbability(**_class_probability(each)) for each in item["top"]],
                file=item["file"],
            )


@dataclass(frozen=True, eq=False)
class SaliencyScores:
    """How faithful an attribution is (Petsiuk et al. 2018).

    Attributes:
        deletion: mean score of the class while pixels are hidden, the most important first; lower
            is better.
        insertion: mean score while pixels are shown, the most important first; higher is better.
        deletion_curve: float32 [S], these scores in equal steps from the image to nothing of it.
        insertion_curve: float32 [S], in equal steps from nothing to the image.
    """

    deletion: float | None
    insertion: float | None
    deletion_curve: Floats
    insertion_curve: Floats


@dataclass(frozen=True, eq=False)
class Saliency(Result):
    """The attribution of one image's pixels to a class.

    Attributes:
        attribution: float32 [H, W], in the model's input size.
        class_index: the class that is explained.
        label: its name.
        method: the saliency method.
        scores: how faithful the attribution is, if that was asked for.
        details: further outputs of the method, such as `convergence_delta`.
    """

    attribution: Floats
    class_index: int
    label: str | None
    method: str
    scores: SaliencyScores | None
    details: Json

    @classmethod
    def read(cls, answer: Json) -> Iterator[Self]:
        """Yields a result for each image."""
        known = {"attribution", "class_index", "label", "scores"}
        for item in answer["explanations"]:
            yield cls(
                **answered_by(answer["model"]),
                attribution=np.array(item["attribution"], np.float32),
                class_index=item["class_index"],
                label=item["label"],
                method=answer["method"],
                scores=_saliency_scores(item["scores"]) if "scores" in item else None,
                details={name: value for name, value in item.items() if name not in known},
            )


@dataclass(frozen=True, eq=False)
class Activation(Result):
    """The output of a layer for one image.

    Attributes:
        activation: float32 [h, w, C], [T, C] or [C].
        layer: name of the layer.
        file: name of the image's file.
    """

    activation: Floats
    layer: str
    file: str | None

    @classmethod
    def read(cls, answer: Json) -> Iterator[Self]:
        """Yields a result for each image."""
        for item in answer["activations"]:
            yield cls(
                **answered_by(answer["model"]),
                activation=np.array(item["activation"], np.float32),
                layer=answer["layer"],
                file=item["file"],
            )


@dataclass(frozen=True, eq=False)
class Visualization(Result):
    """An image that excites one channel of a layer.

    Attributes:
        image: its pixels.
        channel: index of the channel.
        activation: the channel's activation for this image.
        layer: name of the layer.
        seed: seed of the image that the optimization started from.
    """

    image: Pixels
    channel: int
    activation: float | None
    layer: str
    seed: int

    @classmethod
    def read(cls, answer: Json) -> Iterator[Self]:
        """Yields a result for each channel."""
        for item in answer["visualizations"]:
            yield cls(
                **answered_by(answer["model"]),
                image=to_pixels(item["image"]),
                channel=item["channel"],
                activation=item["activation"],
                layer=answer["layer"],
                seed=answer["seed"],
            )


@dataclass(frozen=True, eq=False)
class Sample(Result):
    """A generated image.

    Attributes:
        image: its pixels.
        latent: its latent vector, float32 [L].
        seed: its seed, None if it was not made from one.
    """

    image: Pixels
    latent: Floats
    seed: int | None

    @classmethod
    def read(cls, answer: Json) -> Iterator[Self]:
        """Yields a result for each image."""
        for item in answer["samples"]:
            yield cls(
                **answered_by(answer["model"]),
                image=to_pixels(item["image"]),
                latent=np.array(item["latent"], np.float32),
                seed=item["seed"],
            )


@dataclass(frozen=True)
class Continuation(Result):
    """A generated text.

    Attributes:
        prompt: the text that it continues.
        text: the continuation, without the prompt.
        seed: its seed.
    """

    prompt: str
    text: str
    seed: int

    @classmethod
    def read(cls, answer: Json) -> Iterator[Self]:
        """Yields a result for each prompt and seed."""
        for item in answer["samples"]:
            yield cls(
                **answered_by(answer["model"]),
                prompt=item["prompt"],
                text=item["text"],
                seed=item["seed"],
            )


@dataclass(frozen=True)
class Code(Result):
    """Compressed images.

    Attributes:
        content: the container (`application/vnd.lectern.code`) with the codes of all images.
    """

    content: bytes


@dataclass(frozen=True, eq=False)
class RestoredImage(Result):
    """An image restored from its code.

    Attributes:
        image: its pixels.
    """

    image: Pixels

    @classmethod
    def read(cls, answer: Json) -> Iterator[Self]:
        """Yields a result for each image."""
        for item in answer["images"]:
            yield cls(**answered_by(item["model"]), image=to_pixels(item["image"]))


@dataclass(frozen=True)
class VersionState:
    """A version of a model and its state in TensorFlow Serving's terms, such as `AVAILABLE`."""

    version: int
    state: str


@dataclass(frozen=True)
class CascadeModels:
    """The models of a cascade; the large one answers if the small one is below the threshold."""

    small: str
    large: str
    threshold: float


@dataclass(frozen=True)
class ServedModel:
    """A model that the gateway serves.

    Attributes:
        name: name of the model.
        versions: its versions, empty for a cascade.
        tasks: the calls that it supports, such as `predict` and `saliency`.
        saliency_methods: the methods that `saliency` takes.
        classes: names of its classes.
        cascade: the models behind it, if it is a cascade.
    """

    name: str
    versions: list[VersionState]
    tasks: list[str]
    saliency_methods: list[str]
    classes: list[str | None]
    cascade: CascadeModels | None

    @classmethod
    def read(cls, answer: Json) -> Iterator[Self]:
        """Yields a result for each model."""
        for item in answer["models"]:
            models = item.get("cascade")
            yield cls(
                name=item["name"],
                versions=[
                    VersionState(int(each["version"]), each["state"]) for each in item["versions"]
                ],
                tasks=item["tasks"],
                saliency_methods=item.get("saliency_methods", []),
                classes=item.get("classes", []),
                cascade=CascadeModels(**models) if models else None,
            )


@dataclass(frozen=True)
class TensorSpec:
    """An input or an output of a signature.

    Attributes:
        dtype: TensorFlow's name of the data type, such as `DT_FLOAT`.
        shape: size of each dimension, -1 for any; None if the rank is unknown.
    """

    dtype: str
    shape: list[int] | None


@dataclass(frozen=True)
class Signature:
    """The inputs and outputs of a signature, by name."""

    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]


@dataclass(frozen=True)
class ModelMetadata(Result):
    """The signatures of a model version, by name."""

    signatures: Mapping[str, Signature]

    @classmethod
    def read(cls, answer: Json) -> Self:
        """Returns the metadata in TensorFlow Serving's answer."""
        signatures = answer["metadata"]["signature_def"]["signature_def"]
        return cls(
            **answered_by(answer["model_spec"]),
            signatures={
                name: Signature(_tensor_specs(each["inputs"]), _tensor_specs(each["outputs"]))
                for name, each in signatures.items()
                # TensorFlow lists a model's initializer among the signatures.
                if name != "__saved_model_init_op"
            },
        )


def _class_probability(item: Json) -> dict[str, Any]:
    known = {name: item[name] for name in ("label", "class_index", "probability")}
    return {**known, "score": item.get("score")}


def _saliency_scores(item: Json) -> SaliencyScores:
    return SaliencyScores(
        deletion=item["deletion"],
        insertion=item["insertion"],
        deletion_curve=np.array(item["deletion_curve"], np.float32),
        insertion_curve=np.array(item["insertion_curve"], np.float32),
    )


def _tensor_specs(tensors: Json) -> dict[str, TensorSpec]:
    return {
        name: TensorSpec(
            tensor["dtype"],
            None
            if tensor["tensor_shape"]["unknown_rank"]
            else [int(size["size"]) for size in tensor["tensor_shape"]["dim"]],
        )
        for name, tensor in tensors.items()
    }
