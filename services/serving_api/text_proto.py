"""Reads text protos, the form of TensorFlow Serving's configuration files."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from google.protobuf import text_format
from google.protobuf.message import Message


class ConfigError(ValueError):
    """A configuration file cannot be used; the message says where it is wrong and why."""


_Message = TypeVar("_Message", bound=Message)


def read_text_proto(path: Path, message: _Message) -> _Message:
    """Returns a message read from a file; a byte order mark at its start is skipped.

    Raises:
        ConfigError: The file cannot be read, or is not a text proto of this message.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the file {path} cannot be read: {error}") from None
    try:
        text_format.Parse(text, message)
    except text_format.ParseError as error:
        name = message.DESCRIPTOR.full_name
        raise ConfigError(f"Error parsing text-format {name}: {path}, line {error}") from None
    return message
