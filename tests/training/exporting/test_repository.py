from __future__ import annotations

import threading
from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from training.errors import ModelRepositoryError
from training.exporting.repository import latest_version, publish, register, versions


def write_one_file(folder: Path) -> None:
    (folder / "saved_model.pb").write_bytes(b"model")


def fail_half_way(folder: Path) -> None:
    write_one_file(folder)
    raise OSError("disk full")


def read_config(models: Path) -> dict[str, str]:
    config = model_server_config_pb2.ModelServerConfig()
    text_format.Parse((models / "models.config").read_text(), config)
    return {entry.name: entry.base_path for entry in config.model_config_list.config}


def test_versions_count_up_from_one(tmp_path: Path) -> None:
    folders = [publish(tmp_path, "cnn", write_one_file) for _ in range(3)]

    assert folders == [tmp_path / "cnn" / number for number in "123"]
    assert versions(tmp_path, "cnn") == [1, 2, 3]


def test_versions_are_numbers_not_words(tmp_path: Path) -> None:
    for name in ("9", "10", "draft"):
        (tmp_path / "cnn" / name).mkdir(parents=True)

    assert versions(tmp_path, "cnn") == [9, 10]
    assert latest_version(tmp_path, "cnn").name == "10"
    assert publish(tmp_path, "cnn", write_one_file).name == "11"


def test_a_version_that_cannot_be_written_never_appears(tmp_path: Path) -> None:
    publish(tmp_path, "cnn", write_one_file)

    with pytest.raises(OSError, match="disk full"):
        publish(tmp_path, "cnn", fail_half_way)

    assert [path.name for path in (tmp_path / "cnn").iterdir()] == ["1"]


def test_a_version_is_invisible_while_it_is_written(tmp_path: Path) -> None:
    seen: list[list[int]] = []

    def write(folder: Path) -> None:
        write_one_file(folder)
        seen.append(versions(tmp_path, "cnn"))

    publish(tmp_path, "cnn", write)

    assert seen == [[]]


def test_what_a_killed_process_left_does_not_get_published(tmp_path: Path) -> None:
    leftover = tmp_path / "cnn" / ".partial"
    leftover.mkdir(parents=True)
    (leftover / "stale").write_text("half a model")

    version = publish(tmp_path, "cnn", write_one_file)

    assert [path.name for path in version.iterdir()] == ["saved_model.pb"]
    assert not leftover.exists()


def test_two_that_publish_at_once_get_two_versions(tmp_path: Path) -> None:
    first_is_writing, second_has_started = threading.Event(), threading.Event()

    def write_slowly(folder: Path) -> None:
        first_is_writing.set()
        second_has_started.wait(timeout=10)
        write_one_file(folder)

    first = threading.Thread(target=publish, args=(tmp_path, "cnn", write_slowly))
    second = threading.Thread(target=publish, args=(tmp_path, "cnn", write_one_file))
    first.start()
    assert first_is_writing.wait(timeout=10)
    second.start()
    second_has_started.set()
    first.join()
    second.join()

    assert versions(tmp_path, "cnn") == [1, 2]
    assert len(list((tmp_path / "cnn").glob("*/saved_model.pb"))) == 2


def test_a_published_version_can_be_read_by_a_server_of_another_user(tmp_path: Path) -> None:
    version = publish(tmp_path, "cnn", write_one_file)

    assert version.stat().st_mode & 0o055 == 0o055


def test_a_model_without_versions_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ModelRepositoryError, match="python -m training train cnn"):
        latest_version(tmp_path, "cnn")


def test_models_are_registered_once_under_the_mount_point(tmp_path: Path) -> None:
    for name in ("cnn", "vae", "cnn"):
        register(tmp_path, name)

    assert read_config(tmp_path) == {"cnn": "/models/cnn", "vae": "/models/vae"}


def test_what_people_wrote_into_the_config_stays(tmp_path: Path) -> None:
    (tmp_path / "models.config").write_text(
        'model_config_list { config { name: "other" base_path: "/elsewhere/other" '
        'model_platform: "tensorflow" version_labels { key: "stable" value: 2 } } }'
    )

    register(tmp_path, "cnn")

    assert read_config(tmp_path) == {"other": "/elsewhere/other", "cnn": "/models/cnn"}
    assert "stable" in (tmp_path / "models.config").read_text()


def test_a_damaged_config_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "models.config").write_text("model_config_list {")

    with pytest.raises(ModelRepositoryError, match="not a ModelServerConfig"):
        register(tmp_path, "cnn")

    assert (tmp_path / "models.config").read_text() == "model_config_list {"
