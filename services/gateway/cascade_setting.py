"""The cascade setting: a virtual model that asks a large model when a small one is unsure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = r"[^/:=>@,\s]+"
_TEXT = re.compile(
    rf"(?P<name>{_NAME})=(?P<small>{_NAME})>(?P<large>{_NAME})@(?P<threshold>[0-9.]+)"
)


@dataclass(frozen=True)
class Cascade:
    """Two classifiers behind one name.

    Attributes:
        name: name that clients use.
        small: name of the model that classifies every image.
        large: name of the model that classifies the images of which the small one is unsure.
        threshold: the small model is sure if its top probability is at least this, 0 to 1.
    """

    name: str
    small: str
    large: str
    threshold: float


def parse_cascade(text: str) -> Cascade:
    """Parses `NAME=SMALL>LARGE@THRESHOLD`.

    Raises:
        ValueError: the text has another form, two names are equal, or the threshold is above 1.
    """
    match = _TEXT.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        cascade = Cascade(match["name"], match["small"], match["large"], float(match["threshold"]))
    except ValueError:
        raise ValueError(
            "expected NAME=SMALL>LARGE@THRESHOLD, such as auto=mimic>cnn_best@0.9"
        ) from None
    if len({cascade.name, cascade.small, cascade.large}) < 3 or cascade.threshold > 1:
        raise ValueError("expected three different names and a threshold from 0 to 1")
    return cascade
