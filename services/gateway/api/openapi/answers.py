"""The JSON answers of the calls, as OpenAPI describes them."""

from __future__ import annotations

import base64
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

Number = float | None
"""What is not finite is null."""


class Model(BaseModel):
    """Who answered."""

    name: str
    version: str


class EncodedFile(BaseModel):
    """A file as TensorFlow Serving's JSON writes bytes."""

    b64: str = Field(description="standard base64")

    @property
    def content(self) -> bytes:
        """The file."""
        return base64.b64decode(self.b64)


class Problem(BaseModel):
    """RFC 9457, with TensorFlow Serving's `error` added."""

    type: str
    title: str
    status: int
    detail: str = Field(description="what was received, what was expected, how to fix it")
    error: str = Field(description="the same as `detail`")


class TopClass(BaseModel):
    """A class and its probability."""

    label: str | None
    class_index: int
    probability: Number


class ImagePrediction(TopClass):
    """What is on one image."""

    file: str | None = Field(description="the file's name in a form")
    model: Model | None = Field(None, description="of a cascade, who spoke for this image")
    top: list[TopClass]


class ImagePredictions(BaseModel):
    """The answer to image files."""

    model: Model | None = None
    cascade: str | None = None
    predictions: list[ImagePrediction]


class Rows(BaseModel):
    """TensorFlow Serving's answer to `instances`."""

    predictions: list[Any]


class Columns(BaseModel):
    """TensorFlow Serving's answer to `inputs`."""

    outputs: Any


class Results(BaseModel):
    """TensorFlow Serving's answer to `examples`."""

    results: list[Any]


class Explanation(BaseModel):
    """Why a class was, or might be, chosen."""

    model_config = ConfigDict(extra="allow")

    class_index: int
    label: str | None
    attribution: list[list[Number]]


class Explanations(BaseModel):
    """The answer of `:saliency`."""

    model: Model
    method: str
    explanations: list[Explanation]


class Activation(BaseModel):
    """What a layer makes of one image."""

    file: str | None
    activation: list[Any] = Field(description="[h, w, C], [T, C] or [C]")


class Activations(BaseModel):
    """The answer of `:activations`."""

    model: Model
    layer: str
    activations: list[Activation]


class Visualization(BaseModel):
    """An image that excites a channel."""

    channel: int
    activation: Number
    image: EncodedFile


class Visualizations(BaseModel):
    """The answer of `:visualize`."""

    model: Model
    layer: str
    seed: int
    visualizations: list[Visualization]


class Sample(BaseModel):
    """A generated image."""

    seed: int | None
    latent: list[Number]
    image: EncodedFile


class Samples(BaseModel):
    """The answer of `:generate`."""

    model: Model
    samples: list[Sample]


class CodesDocument(BaseModel):
    """The answer of `:compress`, and what `:decompress` takes."""

    model: Model
    image_shape: list[int] = Field(min_length=2, max_length=3)
    dtype: str = Field(pattern="^(uint8|float32)$")
    codes: list[list[float]] = Field(min_length=1)


class RestoredImage(BaseModel):
    """An image that was restored from its code."""

    file: str | None
    model: Model
    image: EncodedFile


class RestoredImages(BaseModel):
    """The answer of `:decompress`."""

    images: list[RestoredImage]


class ModelVersion(BaseModel):
    """A version and its state."""

    version: str
    state: str


class CascadeModels(BaseModel):
    """What is behind a cascade."""

    small: str
    large: str
    threshold: float


class ListedModel(BaseModel):
    """A model, its versions and what it can do."""

    name: str
    versions: list[ModelVersion]
    tasks: list[str]
    classes: list[str | None] = Field([], description="of a classifier, the names of its classes")
    card: bool = Field(False, description="whether `GET …/card` answers its card")
    cascade: CascadeModels | None = None


class ModelList(BaseModel):
    """The answer of `GET /v1/models`."""

    models: list[ListedModel]


class VersionStatus(BaseModel):
    """TensorFlow Serving's status of a version."""

    version: str
    state: str
    status: dict[str, str]


class ModelStatus(BaseModel):
    """TensorFlow Serving's model status."""

    model_version_status: list[VersionStatus]


class ModelMetadata(BaseModel):
    """TensorFlow Serving's model metadata."""

    model_spec: dict[str, str]
    metadata: dict[str, Any]


class ServerMetadata(BaseModel):
    """Who serves by the Open Inference Protocol."""

    name: str
    version: str
    extensions: list[str]


class ServerState(BaseModel):
    """Whether the server is alive, or ready."""

    live: bool | None = None
    ready: bool | None = None


class ModelState(BaseModel):
    """Whether a model is ready."""

    name: str
    ready: bool


class TensorSpec(BaseModel):
    """An input or an output of a model."""

    name: str
    datatype: str
    shape: list[int]


class TensorMetadata(BaseModel):
    """The tensors of a model's default signature."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]


class OutputTensor(TensorSpec):
    """One output; its values are in `data`, or in the bytes behind the JSON."""

    parameters: dict[str, int] | None = None
    data: list[Any] | None = None


class Inference(BaseModel):
    """The answer of an inference."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[OutputTensor]


class Alive(BaseModel):
    """The process serves."""

    status: str


class Ready(BaseModel):
    """Every configured model can answer."""

    status: str
    models: list[str]
