"""Multipart forms: their files, and their other fields.

Source: https://www.rfc-editor.org/rfc/rfc7578
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from services.gateway.codecs.image_decoder import ImageFile
from services.gateway.request.errors import InvalidRequest

_CHUNK_BYTES = 2**16


class Form(NamedTuple):
    """A multipart form.

    Attributes:
        files: the parts with a file name, or with a file's media type; in their order.
        fields: the text of the other parts by name; of equal names the first counts.
    """

    files: list[ImageFile]
    fields: dict[str, str]


def read_form(request: Request, file_type: str) -> Form:
    """Reads the multipart body of a request.

    Args:
        request: the request; its limits hold.
        file_type: what the media type of a file without a name starts with.

    Raises:
        InvalidRequest: the body breaks off, or is not multipart.
        RequestEntityTooLarge: there are too many parts, or a field is too large.
    """
    form = Form([], {})
    try:
        for part, content in _parts(request):
            name = part.filename if isinstance(part, File) else None
            if isinstance(part, File) or _media_type(part).startswith(file_type):
                form.files.append(ImageFile(name or None, content))
            elif len(content) > (request.max_form_memory_size or len(content)):
                raise RequestEntityTooLarge
            else:
                form.fields.setdefault(part.name, content.decode(errors="replace"))
    except ValueError as error:
        raise InvalidRequest(
            f"received a form that cannot be read ({error}), expected multipart/form-data, "
            "complete, and with the boundary that its Content-Type names"
        ) from None
    return form


def _parts(request: Request) -> Iterator[tuple[Field | File, bytes]]:
    boundary = request.mimetype_params.get("boundary", "").encode("ascii")
    if not boundary:
        raise ValueError("there is no boundary")
    decoder = MultipartDecoder(
        boundary, request.max_form_memory_size, max_parts=request.max_form_parts
    )
    part: Field | File | None = None
    content: list[bytes] = []
    while not isinstance(event := decoder.next_event(), Epilogue):
        match event:
            case NeedData():
                decoder.receive_data(request.stream.read(_CHUNK_BYTES) or None)
            case Field() | File():
                part, content = event, []
            case Data() if part:
                content.append(event.data)
                if not event.more_data:
                    yield part, b"".join(content)


def _media_type(part: Field) -> str:
    return part.headers.get("Content-Type", "").lower()
