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
        model_names: names of the models, which the arms must be among; if empty, they are unknown.
        cascades: names of the cascades, which can be neither splits nor arms.

    Raises:
        SetupError: the file cannot be used.
    """

    def __init__(self, file: Path, model_names: Collection[str], cascades: Collection[str]) -> None:
        read = partial(_read_splits, model_names=model_names, cascades=cascades)
        self._file = WatchedFile(file, read)

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


def _read_splits(
    file: Path, model_names: Collection[str], cascades: Collection[str]
) -> Mapping[str, Split]:
    try:
        splits = parse_splits(file.read_bytes())
        for split in splits.values():
            _check_models(split, model_names, cascades)
    except (OSError, ValueError) as error:
        raise SetupError(f"LECTERN_SPLITS_FILE: {file} cannot be used ({error})") from error
    return splits


def _check_models(split: Split, model_names: Collection[str], cascades: Collection[str]) -> None:
    arms = [*split.arms, *([split.shadow] if split.shadow else [])]
    for name in (split.name, *(arm.model for arm in arms)):
        if name in cascades:
            raise ValueError(
                f"split {split.name!r} names the cascade {name!r}, expected models and no cascade"
            )
    for arm in arms:
        if len(model_names) and arm.model not in model_names:
            raise ValueError(
                f"split {split.name!r} has the arm {arm.name!r}, but there is no model "
                f"{arm.model!r}: correct the name, or add it to models.config or LECTERN_MODELS"
            )
