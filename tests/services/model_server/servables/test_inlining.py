"""The body of a signature computes what its call computes."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2
from tensorflow.python.saved_model.loader_impl import SavedModelLoader

from services.model_server.servables.inlining import add_body, inlined_body, reachable_nodes


class Model(tf.Module):
    """A model with a variable, a table, a function in a function, and a branch in a loop."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = tf.Variable(3.0)
        names = tf.lookup.KeyValueTensorInitializer([0, 1], ["none", "one"])
        self.table = tf.lookup.StaticHashTable(names, "many")

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def straight(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": self.scale(x), "name": self.table.lookup(tf.cast(x, tf.int32))}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def looping(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        for _ in tf.range(3):
            x = self.scale(x)
        return {"y": tf.cond(tf.reduce_sum(x) > 0, lambda: x, lambda: -x)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def calling(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": self.stay(x)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def ragged(self, x: tf.Tensor) -> dict[str, tf.RaggedTensor]:
        return {"y": tf.RaggedTensor.from_row_lengths(x, [tf.size(x, tf.int64)])}

    @tf.function(experimental_attributes={"_noinline": True})
    def stay(self, x: tf.Tensor) -> tf.Tensor:
        return self.factor * x

    @tf.function
    def scale(self, x: tf.Tensor) -> tf.Tensor:
        return self.factor * x


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    model = Model()
    folder = str(tmp_path_factory.mktemp("inlining"))
    names = ("straight", "looping", "calling", "ragged")
    tf.saved_model.save(model, folder, {name: getattr(model, name) for name in names})
    return folder


@pytest.mark.parametrize("name", ["straight", "looping"])
def test_the_body_computes_what_the_call_computes(folder: str, name: str) -> None:
    loader = SavedModelLoader(folder)
    meta_graph = loader.get_meta_graph_def_from_tags(["serve"])
    graph = tf.Graph()
    with graph.as_default():
        saver, _ = loader.load_graph(graph, ["serve"])
    signature = meta_graph.signature_def[name]
    body = inlined_body(meta_graph.graph_def, signature)
    assert body is not None
    inlined = add_body(graph, body, signature)
    config = config_pb2.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    x = np.array([0, 1, 2], np.float32)
    with tf.compat.v1.Session(graph=graph, config=config) as session:
        with graph.as_default():
            loader.restore_variables(session, saver)
            loader.run_init_ops(session, ["serve"])
        called, computed = (
            session.run(
                {key: info.name for key, info in each.outputs.items()},
                {each.inputs["x"].name: x},
            )
            for each in (signature, inlined)
        )
    for key in called:
        np.testing.assert_array_equal(computed[key], called[key])
    assert inlined.outputs["y"].name.startswith("inlined/")
    operation = graph.get_tensor_by_name(inlined.outputs["y"].name).op
    assert "PartitionedCall" not in operation.type


@pytest.mark.parametrize("name", ["calling", "ragged"])
def test_what_cannot_be_inlined_is_left_alone(folder: str, name: str) -> None:
    meta_graph = SavedModelLoader(folder).get_meta_graph_def_from_tags(["serve"])
    assert inlined_body(meta_graph.graph_def, meta_graph.signature_def[name]) is None


def test_the_operations_of_called_functions_are_found(folder: str) -> None:
    meta_graph = SavedModelLoader(folder).get_meta_graph_def_from_tags(["serve"])
    signatures = [meta_graph.signature_def["calling"]]
    found = {node.op for node in reachable_nodes(meta_graph.graph_def, signatures)}
    assert {"VarHandleOp", "ReadVariableOp", "Mul"} <= found
    assert "LookupTableFindV2" not in found
