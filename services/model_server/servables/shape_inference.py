"""Shape inference: tells whether the graph of a signature accepts inputs of other ranks.

TensorFlow Serving leaves shapes to the graph, and so a client may send `[3]` to an input of
`[N, 1]`. Some kernels rely on the checks of shape inference, which ran when the graph was made: a
convolution that is given another rank than it was made for aborts the process. TensorFlow's own
inference is therefore repeated for the ranks of a request before the graph runs on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from services.model_server.servables.tensorflow_core import (
    Graph,
    Operation,
    OpError,
    extract_sub_graph,
    function_def_to_graph,
    function_pb2,
    graph_pb2,
    import_graph_def,
    node_def_pb2,
    placeholder,
)
from services.serving_api.protos import meta_graph_pb2

_LOOPS = ("While", "StatelessWhile")
_BRANCHES = ("If", "StatelessIf", "Case", "StatelessCase")

_STORED = ("ReadVariableOp", "VariableV2")
"""Operations whose shape does not depend on the inputs."""

_LAYOUT = "data_format"
"""The attribute of convolutions, pools and their gradients."""

_QUANTIZERS = (
    "FakeQuantWithMinMaxVarsPerChannel",
    "FakeQuantWithMinMaxVarsPerChannelGradient",
)


def find_refusal(
    graph: graph_pb2.GraphDef,
    signature_def: meta_graph_pb2.SignatureDef,
    ranks: Mapping[str, int],
) -> str | None:
    """Returns why a graph must not run on inputs of these ranks, or None where it may.

    Args:
        graph: holds the signature.
        signature_def: the signature.
        ranks: the rank of each input.
    """
    try:
        unknown = _RankInference(graph, signature_def, ranks).unknown
    except (ValueError, KeyError, OpError) as error:
        return str(error).partition(" for '{{node")[0]
    return f"the rank that reaches {unknown[0]} cannot be inferred" if unknown else None


class _RankInference:
    """One run of TensorFlow's shape inference, over a graph and the functions that it calls.

    Attributes:
        unknown: the types of operations whose kernel may abort, and that have an input of unknown
            rank.
    """

    def __init__(
        self,
        graph: graph_pb2.GraphDef,
        signature_def: meta_graph_pb2.SignatureDef,
        ranks: Mapping[str, int],
    ) -> None:
        """Infers all shapes.

        Raises:
            ValueError: an operation refuses the shapes that reach it.
        """
        fetches = [info.name.partition(":")[0] for info in signature_def.outputs.values()]
        definition = extract_sub_graph(graph, fetches)
        _remove_shapes(definition)
        self._functions = {each.signature.name: each for each in definition.library.function}
        self._seen: set[tuple[object, ...]] = set()
        self.unknown: list[str] = []
        nodes = {node.name for node in definition.node}
        with Graph().as_default() as inferred:
            inputs = {
                info.name: placeholder(info.dtype, [None] * ranks[name])
                for name, info in signature_def.inputs.items()
                if info.name.partition(":")[0] in nodes
            }
            import_graph_def(definition, inputs, name="")
            self._visit(inferred)

    def _visit(self, graph: Graph) -> None:
        for operation in graph.get_operations():
            node = operation.node_def
            if _may_abort(node) and any(each.shape.rank is None for each in operation.inputs):
                self.unknown.append(node.op)
            for name in called_functions(node):
                self._visit_call(operation, name)

    def _visit_call(self, operation: Operation, name: str) -> None:
        """Visits a function as an operation calls it: a call, a branch, or a part of a loop."""
        function = self._functions[name]
        count = len(function.signature.input_arg)
        if count > len(operation.inputs):
            self.unknown.append(name)
            return
        # The condition that chooses a branch comes first and is no argument.
        shapes = [tensor.shape for tensor in operation.inputs[len(operation.inputs) - count :]]
        call = (name, *(shape.rank for shape in shapes))
        if call in self._seen:
            return
        self._seen.add(call)
        body = function_def_to_graph(function, input_shapes=shapes)
        self._visit(body)
        if operation.type in _LOOPS and name == operation.node_def.attr["body"].func.name:
            after = [tensor.shape.rank for tensor in body.outputs]
            if after != [shape.rank for shape in shapes]:
                self.unknown.append(operation.type)


def _may_abort(node: node_def_pb2.NodeDef) -> bool:
    """Tells whether a kernel may rely on shape inference: found by running each on wrong ranks."""
    return _LAYOUT in node.attr or node.op in _QUANTIZERS


def called_functions(node: node_def_pb2.NodeDef) -> Iterator[str]:
    """Yields the functions that an operation calls, branches to or loops over."""
    for value in node.attr.values():
        if value.HasField("func"):
            yield value.func.name
        yield from (function.name for function in value.list.func)


def remove_function_shapes(definition: graph_pb2.GraphDef) -> None:
    """Removes the shapes that were written down for the operations in functions."""
    for function in definition.library.function:
        for node in function.node_def:
            _remove_output_shapes(node)


def _remove_output_shapes(node: node_def_pb2.NodeDef) -> None:
    if node.op not in _STORED:
        node.attr.pop("_output_shapes", None)


def _remove_shapes(definition: graph_pb2.GraphDef) -> None:
    """Removes the shapes that were written down for the signature's own ranks."""
    functions: Sequence[function_pb2.FunctionDef] = definition.library.function
    for node in (*definition.node, *(node for each in functions for node in each.node_def)):
        _remove_output_shapes(node)
        if node.op in _LOOPS + _BRANCHES:
            node.attr["output_shapes"].list.Clear()
    for function in functions:
        function.attr.pop("_input_shapes", None)
        for attributes in function.arg_attr.values():
            attributes.attr.pop("_output_shapes", None)
