"""The types that a call takes and answers, declared with its route; OpenAPI is made from them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from services.gateway.api.body import FORM
from services.gateway.api.responses import JSON, PNG

SAMPLE = "samples/ankle_boot.png"
"""Beneath the static folder."""

SAMPLE_IMAGE = {
    "b64": base64.b64encode((Path(__file__).parents[1] / "static" / SAMPLE).read_bytes()).decode()
}


@dataclass(frozen=True)
class Body:
    """The body of a request.

    Attributes:
        content: its type by media type: `bytes` for a file, else the type of the JSON or the form.
        examples: examples of the JSON, by title.
        required: whether a request must have a body.
    """

    content: Mapping[str, Any]
    examples: Mapping[str, Any]
    required: bool = True


@dataclass(frozen=True)
class Call:
    """The types of a call, as its route declares them.

    Attributes:
        answers: the type of the response by media type: `bytes`, `str`, or the type of the JSON.
        parameters: the parameters in the query, which JSON and forms may hold too.
        body: the request body, None if the call takes none.
    """

    answers: Mapping[str, Any]
    parameters: type[BaseModel] | None = None
    body: Body | None = None


class Files(TypedDict):
    """A form with files."""

    files: Annotated[list[bytes], Field(min_length=1)]


@with_config(ConfigDict(extra="forbid"))
class OptionalImages(TypedDict, total=False):
    """Images, if any, as TensorFlow Serving's JSON writes them."""

    instances: Annotated[
        list[Any],
        Field(
            min_length=1, description="one value an example, or an object of values by input name"
        ),
    ]
    inputs: Annotated[
        Any, Field(description="the values of all examples, or an object of them by input name")
    ]


@with_config(
    ConfigDict(json_schema_extra={"oneOf": [{"required": ["instances"]}, {"required": ["inputs"]}]})
)
class Images(OptionalImages):
    """Images as TensorFlow Serving's JSON writes them: row by row, or column by column."""


_IMAGE_TYPES = (
    PNG,
    *("image/jpeg", "image/webp", "image/gif", "image/bmp", "image/tiff", "image/avif"),
)
IMAGE_CONTENT: Mapping[str, Any] = {**dict.fromkeys(_IMAGE_TYPES, bytes), FORM: Files, JSON: Images}


def image_body(**example: Any) -> Body:
    """Returns the body of a call that takes images.

    Args:
        **example: parameters beside the image, in the example of the JSON.
    """
    return Body(IMAGE_CONTENT, {"file": {"instances": [SAMPLE_IMAGE], **example}})
