"""The calls of the gateway as methods."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Self
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import requests

from services.client.errors import (
    GatewayConnectionError,
    GatewayError,
    GatewayTimeoutError,
    ProblemError,
)
from services.client.images import Images, to_files
from services.client.results import (
    Activation,
    Code,
    Continuation,
    Json,
    ModelMetadata,
    Prediction,
    RestoredImage,
    Saliency,
    Sample,
    ServedModel,
    Visualization,
)

_JSON = "application/json"
_CODE = "application/vnd.lectern.code"
_CODE_VERSION = struct.Struct("<7xq")
"""The model version in a container, behind its magic, its format version and its dtype."""

_MARGIN_SECONDS = 1.0
"""Time that the client waits longer than the gateway, whose answer explains a timeout."""


class Client:
    """A connection to one gateway, closed by `close()` or at the end of a `with` block.

    The methods are named after the verbs of the HTTP API. Each takes `version` (a number) or
    `label` (such as "stable") to select a version of the model, and each result names the version
    that answered. Images are paths, bytes, NumPy arrays or Pillow images, one or several; a list of
    results has one result per image. `invert=True` is for dark drawings on a light background.

    Every method raises GatewayError if the gateway answers with an error, too late, or not at all;
    and OSError, TypeError or ValueError if an image cannot be read.

    Args:
        url: URL of the gateway.
        api_key: API key, if the gateway requires one.
        timeout: seconds to wait for an answer; the gateway gives up after this time too.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        *,
        api_key: str | None = None,
        timeout: float = 30.0,
    ) -> None:
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._session = requests.Session()
        self._session.headers["Grpc-Timeout"] = f"{max(1, round(timeout * 1000))}m"
        if api_key:
            self._session.headers["Authorization"] = f"Bearer {api_key}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections to the gateway."""
        self._session.close()

    def models(self) -> list[ServedModel]:
        """Returns the served models with their versions, tasks and classes."""
        return list(ServedModel.read(_json(self._request("GET", "/v1/models"))))

    def metadata(
        self, model: str, *, version: int | None = None, label: str | None = None
    ) -> ModelMetadata:
        """Returns the signatures of a model."""
        path = f"{_path(model, version, label)}/metadata"
        return ModelMetadata.read(_json(self._request("GET", path)))

    def predict(
        self,
        model: str,
        images: Images,
        *,
        top: int = 5,
        invert: bool = False,
        version: int | None = None,
        label: str | None = None,
    ) -> list[Prediction]:
        """Returns the `top` most probable classes of each image."""
        path = f"{_path(model, version, label)}:predict"
        answer = _json(self._post(path, images, top=top, invert=invert))
        if not {"model", "cascade"} & answer.keys():
            raise GatewayError(
                f"model {model!r} answered numbers without classes, expected a classifier of "
                "images with one output of scores"
            )
        return list(Prediction.read(answer))

    def saliency(
        self,
        model: str,
        images: Images,
        *,
        method: str | None = None,
        class_index: int = -1,
        score: bool = False,
        masks: int | None = None,
        seed: int | None = None,
        invert: bool = False,
        version: int | None = None,
        label: str | None = None,
    ) -> list[Saliency]:
        """Returns the attribution of a class to each image's pixels; -1 is the most probable.

        By default the method is `gradient`, or the first of the model's `saliency_methods`.
        `score=True` measures how faithful each attribution is. `masks` and `seed` are for `rise`.
        """
        answer = self._post(
            f"{_path(model, version, label)}:saliency",
            images,
            method=method,
            class_index=class_index,
            score=score,
            masks=masks,
            seed=seed,
            invert=invert,
        )
        return list(Saliency.read(_json(answer)))

    def activations(
        self,
        model: str,
        images: Images,
        *,
        layer: str | None = None,
        invert: bool = False,
        version: int | None = None,
        label: str | None = None,
    ) -> list[Activation]:
        """Returns the output of a layer, by default the largest, for each image."""
        path = f"{_path(model, version, label)}:activations"
        return list(Activation.read(_json(self._post(path, images, layer=layer, invert=invert))))

    def visualize(
        self,
        model: str,
        *,
        layer: str | None = None,
        channels: Sequence[int] | None = None,
        seed: int = 0,
        version: int | None = None,
        label: str | None = None,
    ) -> list[Visualization]:
        """Returns an image for each channel that maximizes the channel's activation.

        By default the layer is the first by name, and the channels are its first nine.
        """
        path = f"{_path(model, version, label)}:visualize"
        indices = None if channels is None else ",".join(map(str, channels))
        answer = self._post(path, layer=layer, channels=indices, seed=seed)
        return list(Visualization.read(_json(answer)))

    def generate(
        self,
        model: str,
        images: Images = (),
        *,
        count: int = 16,
        seed: int = 0,
        temperature: float = 1.0,
        to_seed: int | None = None,
        steps: int = 8,
        latent: npt.ArrayLike | None = None,
        version: int | None = None,
        label: str | None = None,
    ) -> list[Sample]:
        """Returns generated images.

        They are made from `count` consecutive seeds; from `steps` points between `seed` and
        `to_seed`, or between two `images`; or from latent vectors, an array [N, L].
        """
        answer = self._post(
            f"{_path(model, version, label)}:generate",
            images,
            document={} if latent is None else {"latent": np.asarray(latent, float).tolist()},
            count=count,
            seed=seed,
            temperature=temperature,
            to_seed=to_seed,
            steps=steps,
        )
        return list(Sample.read(_json(answer)))

    def generate_text(
        self,
        model: str,
        prompt: str | Sequence[str] = "",
        *,
        count: int = 1,
        seed: int = 0,
        temperature: float = 1.0,
        version: int | None = None,
        label: str | None = None,
    ) -> list[Continuation]:
        """Returns `count` continuations of a prompt, from consecutive seeds; or of several prompts.

        The same prompt, seed and temperature give the same text on every server.
        """
        document = {
            "prompt": prompt if isinstance(prompt, str) else list(prompt),
            "count": count,
            "seed": seed,
            "temperature": temperature,
        }
        answer = self._post(f"{_path(model, version, label)}:generate", document=document)
        return list(Continuation.read(_json(answer)))

    def compress(
        self,
        model: str,
        images: Images,
        *,
        invert: bool = False,
        version: int | None = None,
        label: str | None = None,
    ) -> Code:
        """Returns the code of the images, which `decompress` restores."""
        path = f"{_path(model, version, label)}:compress"
        content = self._post(path, images, accept=_CODE, invert=invert).content
        return Code(model, _CODE_VERSION.unpack_from(content)[0], content)

    def decompress(self, model: str, code: Code | bytes) -> list[RestoredImage]:
        """Returns the images of a code, restored by the model version that made it."""
        content = code.content if isinstance(code, Code) else code
        answer = self._post(f"{_path(model)}:decompress", content)
        return list(RestoredImage.read(_json(answer)))

    def _post(
        self,
        path: str,
        images: Images = (),
        *,
        accept: str = _JSON,
        document: Json | None = None,
        **parameters: Any,
    ) -> requests.Response:
        files = [("files", file) for file in to_files(images)]
        if files and document:
            raise ValueError(f"received images and {sorted(document)}, expected one of them")
        return self._request(
            "POST",
            path,
            params={name: value for name, value in parameters.items() if value is not None},
            files=files,
            json=document or None,
            headers={"Accept": accept},
        )

    def _request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Returns a successful answer.

        Raises:
            GatewayError: the answer is an error, or there is no answer.
        """
        try:
            response = self._session.request(
                method, f"{self._url}{path}", timeout=self._timeout + _MARGIN_SECONDS, **options
            )
        except requests.Timeout as error:
            raise GatewayTimeoutError(
                f"{self._url} did not answer within {self._timeout} s: pass a larger timeout, or "
                "send fewer images in one request"
            ) from error
        except requests.RequestException as error:
            raise GatewayConnectionError(
                f"{self._url} cannot be reached ({error}): check the URL, and that the gateway runs"
            ) from error
        if not response.ok:
            raise _problem(response)
        return response


def _path(model: str, version: int | None = None, label: str | None = None) -> str:
    if version is not None and label is not None:
        raise ValueError(f"received version={version} and label={label!r}, expected one of them")
    path = f"/v1/models/{quote(model, safe='')}"
    if version is not None:
        return f"{path}/versions/{version}"
    return path if label is None else f"{path}/labels/{quote(label, safe='')}"


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        document = response.json()
    except requests.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise GatewayError(
            f"{response.url} answered {response.headers.get('Content-Type')}, expected a JSON "
            "object: check that the URL is that of a Lectern gateway"
        )
    return document


def _problem(response: requests.Response) -> ProblemError:
    try:
        detail = str(response.json()["detail"])
    except (ValueError, LookupError, TypeError):
        detail = response.reason
    retry_after = response.headers.get("Retry-After", "")
    return ProblemError(
        response.status_code, detail, int(retry_after) if retry_after.isdecimal() else None
    )
