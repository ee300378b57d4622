"""The splits file: virtual models that share requests between models or their versions.

{"splits": [{"name": "cnn", "sticky_header": "X-User-Id",
             "arms": [{"model": "cnn", "version": 1, "weight": 9},
                      {"model": "cnn", "version": 2, "weight": 1}],
             "shadow": {"model": "cnn_best", "share": 0.1}}]}
"""

from __future__ import annotations

import hashlib
import reprlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import accumulate
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

_MAX_SPLITS = 64
_MAX_ARMS = 8
"""Each arm of each split is a label of the metrics."""
_MAX_ERRORS_TOLD = 3

_Name = Annotated[str, Field(pattern=r"^[^/:\s]{1,128}$")]
_Header = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Arm(_Part):
    """A model: its latest version, a certain version, or the version of a label."""

    model: _Name
    version: int | None = Field(None, ge=0, lt=2**63)
    label: _Name | None = None

    @property
    def name(self) -> str:
        """The arm as paths write it, such as `cnn/versions/2`."""
        if self.version is not None:
            return f"{self.model}/versions/{self.version}"
        return f"{self.model}/labels/{self.label}" if self.label is not None else self.model

    @model_validator(mode="after")
    def _name_one_version(self) -> Arm:
        if self.version is not None and self.label is not None:
            raise ValueError("expected a version or a label, not both")
        return self


class WeightedArm(Arm):
    """An arm that answers a share of the requests: its weight, of the sum of all weights."""

    weight: float = Field(1, ge=0, le=1_000_000)


class Shadow(Arm):
    """An arm that is asked a share of the requests again, and whose answers no client gets."""

    share: float = Field(gt=0, le=1)
    timeout_seconds: float = Field(2, gt=0, le=60)


class Split(_Part):
    """A virtual model.

    Attributes:
        name: name that clients use; it may be that of a model among its arms.
        arms: what answers, each its share of the requests.
        shadow: what is asked again, if anything.
        sticky_header: requests with the same value of this header go to the same arm.
        sticky_client: requests of the same client go to the same arm: those with the same API key
            or, without keys, from the same address.
    """

    name: _Name
    arms: tuple[WeightedArm, ...] = Field(min_length=1, max_length=_MAX_ARMS)
    shadow: Shadow | None = None
    sticky_header: _Header | None = None
    sticky_client: bool = False

    @model_validator(mode="after")
    def _check_arms(self) -> Split:
        _check_different(arm.name for arm in self.arms)
        if not any(arm.weight for arm in self.arms):
            raise ValueError("expected an arm with a weight above 0")
        return self

    @cached_property
    def _ends(self) -> list[float]:
        return list(accumulate(arm.weight for arm in self.arms))

    def arm_of(self, key: str) -> WeightedArm:
        """Returns the arm that answers requests with a key: always the same one."""
        return self.arms[bisect_right(self._ends, self._point("arm", key) * self._ends[-1])]

    def is_mirrored(self, request_id: str) -> bool:
        """Returns whether the shadow is asked a request too."""
        return self.shadow is not None and self._point("shadow", request_id) < self.shadow.share

    def _point(self, purpose: str, key: str) -> float:
        """Returns a number from 0 up to but excluding 1, evenly distributed over the keys."""
        text = f"{self.name}\0{purpose}\0{key}".encode(errors="replace")
        return int.from_bytes(hashlib.blake2b(text, digest_size=6).digest()) / 2**48


class _Document(_Part):
    splits: tuple[Split, ...] = Field(max_length=_MAX_SPLITS)

    @model_validator(mode="after")
    def _check_names(self) -> _Document:
        _check_different(split.name for split in self.splits)
        return self


def parse_splits(text: str | bytes) -> Mapping[str, Split]:
    """Parses the content of a splits file, and returns the splits by name.

    Raises:
        ValueError: the content is not of this form; the message is one line.
    """
    try:
        document = _Document.model_validate_json(text)
    except ValidationError as error:
        errors = error.errors()
        told = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'file'}: {each['msg']}, "
            f"received {reprlib.repr(each['input'])}"
            for each in errors[:_MAX_ERRORS_TOLD]
        )
        raise ValueError(" ".join(told.split())) from None
    return {split.name: split for split in document.splits}


def _check_different(names: Iterable[str]) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(f"expected different names, received {repeated[0]!r} twice")
