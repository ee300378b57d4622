"""Splits: virtual models whose requests are shared between models or their versions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from pathlib import Path

from services.gateway.request.context import RequestContext
from services.gateway.request.errors import InvalidRequest
from services.gateway.settings import SetupError
from services.gateway.split_setting import Arm, Split, parse_splits
from services.gateway.upstream.model_server import ModelRef
from services.gateway.watched_file import WatchedFile


class Splits:
    """The splits of a file, which is read again when it changes.

    Args:
        file: the splits file.
        cascades: names of the cascades, which can be neither splits nor arms.

    Raises:
        SetupError: the file cannot be used.
    """

    def __init__(self, file: Path, cascades: Collection[str]) -> None:
        self._file = WatchedFile(file, partial(_read_splits, cascades=cascades))

    def __iter__(self) -> Iterator[Split]:
        return iter(self._file.current().values())

    def choose(
        self, model: ModelRef, context: RequestContext, header: Callable[[str], str | None]
    ) -> ModelRef:
        """Returns the model that answers a call: for a split, an arm; else the model itself.

        Args:
            model: the model that the client named.
            context: the request.
            header: returns the value of a header.

        Raises:
            InvalidRequest: the reference is to a version or a label of a split.
        """
        split = self._find(model)
        if split is None:
            return model
        arm = split.arm_of(_key(split, context, header))
        context.split, context.arm = split, arm
        context.log_members["arm"] = arm.name
        return ref_of(arm)

    def describe(self, model: ModelRef, context: RequestContext) -> ModelRef:
        """Returns the model that describes another: for a split, its first arm.

        Raises:
            InvalidRequest: the reference is to a version or a label of a split.
        """
        context.split = split = self._find(model)
        return ref_of(split.arms[0]) if split else model

    def _find(self, model: ModelRef) -> Split | None:
        split = self._file.current().get(model.name)
        if split is None or model == ModelRef(model.name):
            return split
        if any(arm.model == model.name for arm in split.arms):
            return None
        arms = ", ".join(arm.name for arm in split.arms)
        raise InvalidRequest(
            f"{model.name!r} is a split, which has no versions and no labels: leave them out, or "
            f"call one of its arms: {arms}"
        )


def ref_of(arm: Arm) -> ModelRef:
    """Returns the reference to an arm."""
    return ModelRef(arm.model, arm.version, arm.label)


def _key(split: Split, context: RequestContext, header: Callable[[str], str | None]) -> str:
    """Returns what decides about the arm of a request."""
    value = header(split.sticky_header) if split.sticky_header else None
    if value:
        return f"header {value}"
    return f"client {context.client}" if split.sticky_client else f"request {context.request_id}"


def _read_splits(file: Path, cascades: Collection[str]) -> Mapping[str, Split]:
    try:
        splits = parse_splits(file.read_bytes())
    except (OSError, ValueError) as error:
        raise SetupError(f"LECTERN_SPLITS_FILE: {file} cannot be used ({error})") from error
    for split in splits.values():
        arms = [*split.arms, *([split.shadow] if split.shadow else [])]
        for name in {split.name, *(arm.model for arm in arms)} & {*cascades}:
            raise SetupError(
                f"LECTERN_SPLITS_FILE: {file} cannot be used (split {split.name!r} names the "
                f"cascade {name!r}, expected models)"
            )
    return splits
