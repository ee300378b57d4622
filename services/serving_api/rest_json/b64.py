"""Reads base64 as leniently as TensorFlow Serving.

Source: `absl::Base64Unescape`, which tensorflow_serving/util/json_tensor.cc calls.
"""

from __future__ import annotations

import base64
import binascii

_WHITE_SPACE = b" \t\n\v\f\r"


def decode_b64(text: str) -> bytes:
    """Decodes base64; ignores white space, and accepts missing padding.

    Raises:
        ValueError: the text is not base64; the message shows how it starts.
    """
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        pass
    try:
        characters = text.encode("ascii").translate(None, _WHITE_SPACE)
        digits = characters.rstrip(b"=")
        padding = b"=" * (-len(digits) % 4)
        if characters not in (digits, digits + padding):
            raise binascii.Error("wrong padding")
        return base64.b64decode(digits + padding, validate=True)
    except ValueError:
        raise ValueError(
            f"it starts with {text[:20]!r}, expected standard base64 (A-Z, a-z, 0-9, +, /, padded "
            "with = or not)"
        ) from None
