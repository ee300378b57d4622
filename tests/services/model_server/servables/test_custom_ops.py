from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from tensorflow.core.protobuf import saved_model_pb2

from services.model_server.errors import ServingError
from services.model_server.servables.custom_ops import register_ops
from services.model_server.servables.saved_model import SavedModelServable


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("tensorflow_text", "ydf_tf"):
        sys.modules.pop(name, None)


def test_what_is_installed_is_imported(modules: Path) -> None:
    (modules / "tensorflow_text.py").write_text(
        "from pathlib import Path; Path(__file__).with_name('imported').touch()"
    )
    assert register_ops() == ["tensorflow-text"]
    assert (modules / "imported").exists()


def test_a_package_that_cannot_be_imported_is_logged(modules: Path) -> None:
    (modules / "ydf_tf.py").write_text("raise RuntimeError('undefined symbol')")
    with structlog.testing.capture_logs() as logs:
        assert register_ops() == []
    assert [line["event"] for line in logs] == ["operations not registered"]
    assert "undefined symbol" in logs[0]["error"]


@pytest.mark.parametrize(
    ("operation", "package"),
    [
        ("RegexSplitWithOffsets", "of the package tensorflow-text,"),
        ("TFText>WhitespaceTokenizeWithOffsetsV2", "of the package tensorflow-text,"),
        ("SimpleMLInferenceOpWithHandle", "of the package ydf-tf,"),
        ("MyOwnOp", "none of TensorFlow's. The server can register those of tensorflow-text and"),
    ],
)
def test_an_unregistered_operation_names_the_extra(
    tmp_path: Path, operation: str, package: str
) -> None:
    saved_model = saved_model_pb2.SavedModel()
    meta_graph = saved_model.meta_graphs.add()
    meta_graph.meta_info_def.tags.append("serve")
    meta_graph.graph_def.node.add(name="operation", op=operation)
    (tmp_path / "saved_model.pb").write_bytes(saved_model.SerializeToString())
    with pytest.raises(ServingError) as raised:
        SavedModelServable(tmp_path)
    assert f"its operation {operation} is " in raised.value.message
    assert package in raised.value.message
    assert "pip install 'lectern[ops]'" in raised.value.message
