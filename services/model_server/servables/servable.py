"""A servable: one loaded version of a model, which requests run on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy.typing as npt

from services.serving_api.arrays import Arrays
from services.serving_api.protos import meta_graph_pb2
from services.serving_api.signatures import Signature


class ServableId(NamedTuple):
    """The name and the version of a servable."""

    name: str
    version: int


class Servable(Protocol):
    """One loaded version of a model; every method may be called from many threads at once.

    Attributes:
        signature_defs: the signatures as the model states them, by name.
        signatures: the same, read.
    """

    signature_defs: Mapping[str, meta_graph_pb2.SignatureDef]
    signatures: Mapping[str, Signature]

    def run(
        self, signature_name: str, inputs: Arrays, output_names: Sequence[str]
    ) -> dict[str, npt.NDArray[Any]]:
        """Computes the named outputs of a signature from all of its inputs.

        Raises:
            ServingError: the model refused the inputs or failed on them.
        """

    def close(self) -> None:
        """Gives its memory back; nothing runs on it any more."""


Load: TypeAlias = Callable[[ServableId, Path], Servable]
"""Makes a servable, warmed up, of a version's folder; raises ServingError."""
