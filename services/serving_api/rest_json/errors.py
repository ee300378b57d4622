"""The errors of a JSON body.

JsonError
└── TooManyValuesError
"""

from __future__ import annotations

from typing import Any


class JsonError(ValueError):
    """The body is not valid for this call; the message says what was received and expected."""


class TooManyValuesError(JsonError):
    """The values of the body would take too much memory."""


def kind_of(value: Any) -> str:
    """Returns the name of a value's JSON type, for messages."""
    if isinstance(value, (dict, list)) and not value:
        return "empty"
    names = {
        dict: "an object",
        list: "a list",
        str: "a string",
        bool: "a boolean",
        type(None): "null",
    }
    return names.get(type(value), "a number")
