"""Which folders are versions, and which of them a policy asks for."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import text_format
from structlog.testing import capture_logs

from services.model_server.config.model_config import ModelConfig, single_model
from services.model_server.models.repository import find_versions


@pytest.fixture
def model(tmp_path: Path) -> ModelConfig:
    for name in ("1", "00000003", "20", "-4", "tmp", "5.5", "99999999999999999999", "٣"):
        (tmp_path / name).mkdir()
    (tmp_path / "30").write_text("a file is no version")
    [config] = single_model("m", str(tmp_path))
    return config


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("", {20}),
        ("latest { }", {20}),
        ("latest { num_versions: 2 }", {3, 20}),
        ("latest { num_versions: 9 }", {-4, 1, 3, 20}),
        ("all { }", {-4, 1, 3, 20}),
        ("specific { versions: 1 versions: 7 }", {1}),
    ],
)
def test_policies(model: ModelConfig, policy: str, expected: set[int]) -> None:
    text_format.Parse(policy, model.model_version_policy)
    assert find_versions(model).keys() == expected


def test_a_version_comes_with_its_folder(model: ModelConfig, tmp_path: Path) -> None:
    model.model_version_policy.specific.versions.append(3)
    assert find_versions(model) == {3: tmp_path / "00000003"}


def test_an_empty_base_path_has_no_versions(tmp_path: Path) -> None:
    [config] = single_model("m", str(tmp_path))
    assert find_versions(config) == {}


def test_a_missing_base_path_is_no_statement_about_versions(tmp_path: Path) -> None:
    [config] = single_model("m", str(tmp_path / "gone"))
    with pytest.raises(FileNotFoundError):
        find_versions(config)


def test_of_two_folders_of_one_version_the_first_is_taken_and_it_is_said_once(
    tmp_path: Path,
) -> None:
    for name in ("1", "0001"):
        (tmp_path / name).mkdir()
    [config] = single_model("m", str(tmp_path))
    with capture_logs() as logs:
        assert find_versions(config) == {1: tmp_path / "0001"}
        find_versions(config)
    [entry] = logs
    assert entry["event"] == "Duplicate version directories detected"
    assert entry["ignored"] == str(tmp_path / "1")


def test_a_file_url_names_a_folder(model: ModelConfig, tmp_path: Path) -> None:
    [config] = single_model("m", f"file://{tmp_path}")
    assert find_versions(config) == {20: tmp_path / "20"}


def test_a_remote_store_is_named_with_its_slashes() -> None:
    [config] = single_model("m", "gs://bucket/models/m")
    with pytest.raises(OSError, match=r"'gs://bucket/models/m', expected a local folder"):
        find_versions(config)
