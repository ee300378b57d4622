"""Codes of compressed images with the name of the model that restores them: container and JSON.

The container (`application/vnd.lectern.code`), with all numbers little-endian:

    magic           4 bytes   b"LCTC"
    format version  uint8     1
    dtype           2 bytes   of the codes: b"u1" (uint8) or b"f4" (float32)
    model version   int64
    count, size     uint32 ×2 codes, and numbers in each
    dimensions      uint8     of an image: 2 (height, width) or 3 (height, width, channels)
    name length     uint16
    image shape     uint32 ×dimensions
    model name      UTF-8
    codes           count × size numbers
    checksum        uint32    CRC-32 of everything before it
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    with_config,
)
from typing_extensions import TypedDict

from services.gateway.request.errors import InvalidRequest
from services.serving_api.dtypes import data_type_of
from services.serving_api.rest_json.values import to_array
from services.serving_api.signatures import TensorSpec

MEDIA_TYPE = "application/vnd.lectern.code"

_MAGIC = b"LCTC"
_FORMAT_VERSION = 1
_HEADER = struct.Struct("<4sB2sqIIBH")
_CHECKSUM = struct.Struct("<I")
_DTYPES: Mapping[bytes, np.dtype[Any]] = {b"u1": np.dtype("<u1"), b"f4": np.dtype("<f4")}
_DIMENSIONS = {2, 3}


@dataclass(frozen=True, eq=False)
class Codes:
    """Codes of images, and the model that computed them.

    Attributes:
        model: name of the model.
        version: version of the model.
        image_shape: shape of each image: (height, width) or (height, width, channels).
        codes: uint8 or float32 [N, K].
    """

    model: str
    version: int
    image_shape: tuple[int, ...]
    codes: npt.NDArray[Any]


def write_container(codes: Codes) -> bytes:
    """Returns a container.

    Raises:
        InvalidRequest: the codes have a dtype or shape that the container does not support.
    """
    kinds = {dtype: kind for kind, dtype in _DTYPES.items()}
    kind = kinds.get(codes.codes.dtype)
    if kind is None or codes.codes.ndim != 2:
        raise InvalidRequest(
            f"the model's codes are {codes.codes.dtype}{list(codes.codes.shape)}, expected uint8 "
            "or float32 [N, K] for the container: ask for application/json"
        )
    name = codes.model.encode()
    header = _HEADER.pack(
        _MAGIC,
        _FORMAT_VERSION,
        kind,
        codes.version,
        *codes.codes.shape,
        len(codes.image_shape),
        len(name),
    )
    shape = struct.pack(f"<{len(codes.image_shape)}I", *codes.image_shape)
    content = header + shape + name + codes.codes.tobytes()
    return content + _CHECKSUM.pack(zlib.crc32(content))


def read_container(content: bytes) -> Codes:
    """Reads a container.

    Raises:
        InvalidRequest: the content is not a container, has a later format version, or is damaged.
    """
    if content[: len(_MAGIC)] != _MAGIC:
        raise InvalidRequest(
            f"received {len(content)} bytes that start with {content[:8]!r}, expected what "
            f":compress answers ({MEDIA_TYPE}), which starts with {_MAGIC!r}"
        )
    if len(content) > len(_MAGIC) and content[len(_MAGIC)] != _FORMAT_VERSION:
        raise InvalidRequest(
            f"received a container of format version {content[len(_MAGIC)]}, expected version "
            f"{_FORMAT_VERSION}: use a gateway at least as new as the one that wrote it"
        )
    body, checksum = content[: -_CHECKSUM.size], content[-_CHECKSUM.size :]
    if len(body) < _HEADER.size or zlib.crc32(body) != _CHECKSUM.unpack(checksum)[0]:
        raise _damaged(content)
    return _read_body(content, body)


def _read_body(content: bytes, body: bytes) -> Codes:
    _, _, kind, version, count, size, dimensions, name_length = _HEADER.unpack_from(body)
    shape_end = _HEADER.size + 4 * dimensions
    name_end = shape_end + name_length
    dtype = _DTYPES.get(kind)
    if dtype is None or dimensions not in _DIMENSIONS or not count * size:
        raise _damaged(content)
    # Checked before arrays are created, so that a header cannot claim more data than there is.
    if len(body) != name_end + count * size * dtype.itemsize:
        raise _damaged(content)
    try:
        name = body[shape_end:name_end].decode()
    except UnicodeDecodeError:
        raise _damaged(content) from None
    shape = struct.unpack_from(f"<{dimensions}I", body, _HEADER.size)
    numbers = np.frombuffer(body, dtype, offset=name_end).reshape(count, size)
    return Codes(name, version, shape, numbers)


def _damaged(content: bytes) -> InvalidRequest:
    return InvalidRequest(
        f"received a container of {len(content)} bytes whose checksum or lengths are wrong, so it "
        "is truncated or damaged: send the bytes that :compress answered, unchanged"
    )


_NUMBERS = {"type": "array", "items": {"type": "number"}}


def _check_int64(version: str) -> str:
    if int(version) >= 2**63:
        raise ValueError("a version is less than 2**63")
    return version


@with_config(ConfigDict(coerce_numbers_to_str=True))
class Maker(TypedDict):
    """The version of the model that made the codes, which alone restores the images."""

    name: str
    version: Annotated[str, Field(pattern="^[0-9]{1,19}$"), AfterValidator(_check_int64)]


class CodesDocument(TypedDict):
    """The JSON that `:compress` answers and `:decompress` takes."""

    model: Maker
    image_shape: Annotated[
        list[Annotated[int, Field(ge=1, lt=2**32)]], Field(min_length=2, max_length=3)
    ]
    dtype: Annotated[str, Field(pattern="^(uint8|float32)$")]
    # Each number is checked as it becomes one of the array's.
    codes: Annotated[
        list[Any],
        Field(min_length=1),
        WithJsonSchema({"type": "array", "minItems": 1, "items": _NUMBERS}),
    ]


_DOCUMENT = TypeAdapter(CodesDocument)


def codes_document(codes: Codes) -> CodesDocument:
    """Returns codes as a JSON document, which `read_codes_document` reads."""
    return {
        "model": {"name": codes.model, "version": str(codes.version)},
        "image_shape": list(codes.image_shape),
        "dtype": codes.codes.dtype.name,
        "codes": list(codes.codes),
    }


def read_codes_document(document: Any) -> Codes:
    """Reads codes from a JSON document.

    Raises:
        InvalidRequest: the document does not have the form that `codes_document` returns.
        JsonError: the codes are ragged, or do not have the given dtype.
    """
    try:
        read = _DOCUMENT.validate_python(document)
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, each['loc'])) or 'the document'}: {each['msg']}"
            for each in error.errors(include_input=False)
        ]
        raise InvalidRequest(
            f"expected the JSON that :compress answers: {'; '.join(problems)}"
        ) from None
    dtype = np.dtype(read["dtype"])
    codes = to_array("codes", read["codes"], TensorSpec(data_type_of(dtype), (None, None)))
    if codes.ndim != 2 or not codes.size:
        raise InvalidRequest(
            f"received codes of the shape {list(codes.shape)}, expected a list of lists of numbers"
        )
    maker = read["model"]
    return Codes(maker["name"], int(maker["version"]), tuple(read["image_shape"]), codes)


def pixel_count(codes: Codes) -> int:
    """Returns the total number of pixels of the images."""
    height, width = codes.image_shape[:2]
    return math.prod((len(codes.codes), height, width))
