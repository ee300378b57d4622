"""Signatures in the metadata of a model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from services.serving_api.dtypes import data_type_name
from services.serving_api.protos import get_model_metadata_pb2, meta_graph_pb2

DEFAULT_SIGNATURE = "serving_default"
"""The signature for requests that do not name one."""


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a signature.

    Attributes:
        data_type: the `DataType` number.
        shape: the dimensions, None for a dimension of any size; None if the rank is unknown.
    """

    data_type: int
    shape: tuple[int | None, ...] | None

    def __str__(self) -> str:
        if self.shape is None:
            return f"{data_type_name(self.data_type)} of any shape"
        dimensions = ", ".join("N" if size is None else str(size) for size in self.shape)
        return f"{data_type_name(self.data_type)}[{dimensions}]"

    @property
    def row_size(self) -> int:
        """Number of elements in each row; 0 if the shape is not fully known."""
        return math.prod(size or 0 for size in (self.shape or (0, 0))[1:])

    def accepts(self, shape: tuple[int, ...]) -> bool:
        """Returns whether an array of this shape fits."""
        return self.shape is None or (
            len(shape) == len(self.shape)
            and all(
                free is None or free == size for free, size in zip(self.shape, shape, strict=True)
            )
        )


@dataclass(frozen=True)
class Signature:
    """One task of a model: named inputs and outputs.

    Attributes:
        inputs: the inputs by name.
        outputs: the outputs by name.
        method_name: which of TensorFlow Serving's methods the signature is for.
        defaults: names of the inputs that have a default value, which requests may leave out.
    """

    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    method_name: str
    defaults: frozenset[str] = frozenset()

    @cached_property
    def has_free_rows(self) -> bool:
        """Whether the first dimension of every input and output may have any size."""
        specs = [*self.inputs.values(), *self.outputs.values()]
        return all(spec.shape is not None and spec.shape[:1] == (None,) for spec in specs)


def signatures_of(
    response: get_model_metadata_pb2.GetModelMetadataResponse,
) -> dict[str, Signature]:
    """Returns the signatures by name, from a GetModelMetadata response for `signature_def`."""
    signature_map = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signature_map)
    return {name: signature_from(proto) for name, proto in signature_map.signature_def.items()}


def signature_from(proto: meta_graph_pb2.SignatureDef) -> Signature:
    """Converts one signature."""
    return Signature(
        inputs={name: _tensor_spec(info) for name, info in proto.inputs.items()},
        outputs={name: _tensor_spec(info) for name, info in proto.outputs.items()},
        method_name=proto.method_name,
        defaults=frozenset(proto.defaults),
    )


def _tensor_spec(info: meta_graph_pb2.TensorInfo) -> TensorSpec:
    if info.tensor_shape.unknown_rank:
        return TensorSpec(info.dtype, None)
    shape = tuple(None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim)
    return TensorSpec(info.dtype, shape)
