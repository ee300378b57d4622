"""A client of the gateway in Python: images and arrays in, typed answers out."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt
import requests
from PIL import Image
from pydantic import BaseModel

from services.gateway.api.openapi import answers

ImageLike = Path | bytes | npt.NDArray[np.uint8]
"""A file, its content, or grey levels or colours [H, W] or [H, W, C]."""

_Answer = TypeVar("_Answer", bound=BaseModel)


class GatewayError(Exception):
    """The gateway refused or failed; the message is its own.

    Args:
        status: the HTTP status.
        detail: what was received, what was expected and how to mend it.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status


class Client:
    """One gateway, over connections that are kept open until the end of its `with` block.

    Every method raises GatewayError where the gateway answers an error, and what `requests` raises
    where it cannot be reached. A model's name may be followed by `/versions/N` or `/labels/L`.

    Args:
        url: of the gateway.
        key: the API key, where the gateway asks for one.
        timeout: seconds to wait for an answer.
    """

    def __init__(
        self, url: str = "http://127.0.0.1:8080", key: str | None = None, timeout: float = 30.0
    ) -> None:
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._session = requests.Session()
        if key:
            self._session.headers["Authorization"] = f"Bearer {key}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def models(self) -> list[answers.ListedModel]:
        """Return what is served, and what each model can do."""
        response = self._session.get(f"{self._url}/v1/models", timeout=self._timeout)
        return _read(response, answers.ModelList).models

    def predict(
        self, model: str, images: Iterable[ImageLike], top: int = 5, invert: bool = False
    ) -> list[answers.ImagePrediction]:
        """Return what is on each image, with its most probable classes."""
        response = self._post(f"{model}:predict", images, top=top, invert=invert)
        return _read(response, answers.ImagePredictions).predictions

    def explain(
        self, model: str, images: Iterable[ImageLike], method: str = "gradient", **options: Any
    ) -> list[answers.Explanation]:
        """Return which pixels of each image speak for a class (`class_index`, else the top one)."""
        response = self._post(f"{model}:saliency", images, method=method, **options)
        return _read(response, answers.Explanations).explanations

    def activations(
        self, model: str, images: Iterable[ImageLike], **options: Any
    ) -> list[answers.Activation]:
        """Return what a layer (`layer`, else the largest) makes of each image."""
        return _read(
            self._post(f"{model}:activations", images, **options), answers.Activations
        ).activations

    def visualize(
        self, model: str, layer: str, channels: Sequence[int], seed: int = 0
    ) -> list[answers.Visualization]:
        """Return an image for each channel of a layer that excites it."""
        options: dict[str, Any] = {
            "layer": layer,
            "channels": ",".join(map(str, channels)),
            "seed": seed,
        }
        return _read(
            self._post(f"{model}:visualize", [], **options), answers.Visualizations
        ).visualizations

    def generate(
        self, model: str, images: Iterable[ImageLike] = (), **options: Any
    ) -> list[answers.Sample]:
        """Return new images: `count`, `seed`, `temperature`; or a walk, `to_seed` and `steps`.

        With two images, the walk is between them.
        """
        return _read(self._post(f"{model}:generate", images, **options), answers.Samples).samples

    def compress(self, model: str, images: Iterable[ImageLike], invert: bool = False) -> bytes:
        """Return the container of the images' codes."""
        response = self._post(f"{model}:compress", images, accept="*/*", invert=invert)
        return _check(response).content

    def decompress(self, model: str, container: bytes) -> list[npt.NDArray[np.uint8]]:
        """Return the images of a container, uint8 [H, W] or [H, W, 3] each."""
        response = self._post(f"{model}:decompress", [container])
        restored = _read(response, answers.RestoredImages).images
        return [to_array(each.image) for each in restored]

    def _post(
        self,
        call: str,
        images: Iterable[ImageLike],
        accept: str = "application/json",
        **fields: Any,
    ) -> requests.Response:
        return self._session.post(
            f"{self._url}/v1/models/{call}",
            params={name: value for name, value in fields.items() if value is not None},
            files=[("files", _file(image)) for image in images],
            headers={"Accept": accept},
            timeout=self._timeout,
        )


def to_array(image: answers.EncodedFile) -> npt.NDArray[np.uint8]:
    """Return the pixels of an image in an answer, [H, W] or [H, W, 3]."""
    with Image.open(io.BytesIO(image.content)) as file:
        return np.asarray(file)


def _file(image: ImageLike) -> tuple[str, bytes]:
    match image:
        case Path():
            return image.name, image.read_bytes()
        case bytes():
            return "image", image
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return "array.png", file.getvalue()


def _read(response: requests.Response, model: type[_Answer]) -> _Answer:
    return model.model_validate_json(_check(response).content)


def _check(response: requests.Response) -> requests.Response:
    if response.ok:
        return response
    try:
        detail = str(response.json()["detail"])
    except (ValueError, LookupError, TypeError):
        detail = response.reason
    raise GatewayError(response.status_code, detail)
