"""Text protos read from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.serving_api.protos import model_pb2
from services.serving_api.text_proto import ConfigError, read_text_proto


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_message_is_read_with_and_without_a_byte_order_mark(
    tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "spec.config"
    path.write_text('name: "é"', encoding=encoding)
    assert read_text_proto(path, model_pb2.ModelSpec()) == model_pb2.ModelSpec(name="é")


def test_another_message_is_refused_by_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "spec.config"
    path.write_text("name: 1")
    with pytest.raises(ConfigError, match=r"Error parsing text-format .*ModelSpec: .*, line 1:7"):
        read_text_proto(path, model_pb2.ModelSpec())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the file .*gone cannot be read"):
        read_text_proto(tmp_path / "gone", model_pb2.ModelSpec())
