"""base64 is read as TensorFlow Serving reads it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.serving_api.rest_json.b64 import decode_b64

SPACES = st.text(" \t\r\n\v\f", max_size=3)


@given(st.binary(max_size=200), st.booleans())
def test_every_content_survives_wrapped_and_without_padding(content: bytes, padded: bool) -> None:
    for encode in (base64.b64encode, base64.encodebytes):
        text = encode(content).decode()
        assert decode_b64(text if padded else text.replace("=", "")) == content


@given(st.binary(max_size=40), st.data())
def test_white_space_is_skipped_anywhere(content: bytes, data: st.DataObject) -> None:
    text = base64.b64encode(content).decode()
    spaced = "".join(data.draw(SPACES) + character for character in text)
    assert decode_b64(spaced + data.draw(SPACES)) == content


@pytest.mark.parametrize(
    "text", ["?", "A", "AAAAA", "AA=", "AA===", "=", "A=A=", "AA==AA==", "AAé=", "-_-_", "AA=A"]
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"it starts with .* expected standard base64"):
        decode_b64(text)


@given(st.text(max_size=12))
def test_any_text_is_decoded_or_refused(text: str) -> None:
    try:
        content = decode_b64(text)
    except ValueError:
        return
    digits = "".join(text.split()).rstrip("=")
    # Only the bits that fill the last digit may differ.
    assert base64.b64encode(content).decode().rstrip("=")[:-1] == digits[:-1]
