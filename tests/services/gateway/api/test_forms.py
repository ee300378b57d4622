"""Multipart forms are read part by part; what is a file, its head says."""

from __future__ import annotations

import io

import pytest
from flask import Request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.test import EnvironBuilder

from services.gateway.api.forms import Form, read_form
from services.gateway.codecs.image_decoder import ImageFile
from services.gateway.request.errors import InvalidRequest
from tests.services.gateway.images import PNG

BOUNDARY = "one-of-seven"
PARTS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]),  # name
        st.sampled_from(["x.png", "", None]),  # file name
        st.sampled_from(["image/png", "IMAGE/JPEG", "text/plain", None]),  # media type
        st.binary(max_size=20) | st.just(b"x" * 200_000),
    ),
    max_size=4,
)


def write(parts: list[tuple[str | None, str | None, str | None, bytes]]) -> bytes:
    body = b""
    for name, file_name, media_type, content in parts:
        head = "Content-Disposition: form-data"
        head += f'; name="{name}"' if name is not None else ""
        head += f'; filename="{file_name}"' if file_name is not None else ""
        head += f"\r\nContent-Type: {media_type}" if media_type else ""
        body += f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + content + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


def read(body: bytes, boundary: str = f"; boundary={BOUNDARY}") -> Form:
    builder = EnvironBuilder(
        method="POST",
        input_stream=io.BytesIO(body),
        content_length=len(body),
        content_type=f"multipart/form-data{boundary}",
    )
    request = Request(builder.get_environ())
    request.max_form_memory_size, request.max_form_parts = 500_000, 1000
    return read_form(request, "image/")


@given(PARTS)
def test_every_part_is_a_file_or_a_field(
    parts: list[tuple[str | None, str | None, str | None, bytes]],
) -> None:
    files, fields = [], {}
    for name, file_name, media_type, content in parts:
        if file_name is not None or (media_type or "").lower().startswith("image/"):
            files.append(ImageFile(file_name or None, content))
        else:
            fields.setdefault(name, content.decode(errors="replace"))
    assert read(write(parts)) == Form(files, fields)


def test_an_image_without_a_file_name_is_classified(client) -> None:
    response = client.post(
        "/v1/models/classifier:predict",
        data=write([("image", None, "image/png", PNG), ("top", None, None, b"1")]),
        content_type=f"multipart/form-data; boundary={BOUNDARY}",
    )
    assert [len(each["top"]) for each in response.json["predictions"]] == [1]


@pytest.mark.parametrize(
    ("body", "boundary"),
    [
        (write([("a", None, None, b"1")])[:-10], f"; boundary={BOUNDARY}"),
        (b"", f"; boundary={BOUNDARY}"),
        (b"nothing of the kind", f"; boundary={BOUNDARY}"),
        (write([]), "; boundary=another"),
        (write([]), ""),
        (write([]), "; boundary=é"),
        (
            f"--{BOUNDARY}\r\nno: disposition\r\n\r\n1\r\n--{BOUNDARY}--".encode(),
            f"; boundary={BOUNDARY}",
        ),
    ],
)
def test_what_is_no_form_is_explained(body: bytes, boundary: str) -> None:
    with pytest.raises(InvalidRequest, match=r"form that cannot be read .* expected multipart"):
        read(body, boundary)


@pytest.mark.parametrize(
    "parts",
    [
        [("a", None, None, b"x" * 600_000)],
        [("a", None, None, b"x")] * 1001,
        [("a", "x.png", None, b"x")] * 1001,
    ],
)
def test_large_fields_and_too_many_parts_are_refused(
    parts: list[tuple[str, str | None, None, bytes]],
) -> None:
    with pytest.raises(RequestEntityTooLarge):
        read(write([*parts]))


def test_a_file_may_be_larger_than_a_field() -> None:
    assert read(write([("a", "x.png", None, b"x" * 600_000)])).files[0].content == b"x" * 600_000
