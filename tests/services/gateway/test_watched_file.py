from __future__ import annotations

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.gateway import watched_file
from services.gateway.settings import SetupError
from services.gateway.watched_file import WatchedFile


def read(path: Path) -> str:
    try:
        text = path.read_text()
    except OSError as error:
        raise SetupError(f"{path} cannot be read") from error
    if "bad" in text:
        raise SetupError(f"{path} is bad")
    return text


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_text("first")
    return path


@pytest.fixture
def always(monkeypatch):
    monkeypatch.setattr(watched_file, "SECONDS_BETWEEN_LOOKS", 0)


def test_a_file_that_cannot_be_used_is_refused_at_the_start(path):
    path.write_text("bad")
    with pytest.raises(SetupError, match="is bad"):
        WatchedFile(path, read)


def test_a_bad_or_missing_file_changes_nothing_and_is_logged_once(path, always):
    file = WatchedFile(path, read)
    with capture_logs() as lines:
        path.write_text("second")
        assert file.current() == "second"
        path.write_text("this is bad")
        assert [file.current() for _ in range(3)] == ["second"] * 3
        path.unlink()
        assert [file.current() for _ in range(3)] == ["second"] * 3
        path.write_text("third")
        assert file.current() == "third"
    assert [line["event"] for line in lines] == [
        "read the changed file",
        "ignored the changed file",
        "ignored the changed file",
        "read the changed file",
    ]
    assert [line["reason"] for line in lines[1:3]] == [f"{path} is bad", f"{path} cannot be read"]


def test_a_link_that_points_elsewhere_is_a_change(path, always, tmp_path):
    """As Kubernetes updates a mounted ConfigMap; the files may have the same size and time."""
    other = tmp_path / "other"
    other.write_text("other")
    for each in (path, other):
        os.utime(each, (1, 1))
    link = tmp_path / "link"
    link.symlink_to(path)
    file = WatchedFile(link, read)
    (tmp_path / "new").symlink_to(other)
    (tmp_path / "new").rename(link)
    assert file.current() == "other"


def test_between_two_looks_the_file_is_left_alone(path):
    file = WatchedFile(path, read)
    path.write_text("second")
    assert file.current() == "first"


def test_a_file_is_tried_again_after_the_reason_is_gone(path, always):
    """For example a model that a file names, and that is configured a moment later."""
    known: set[str] = {"first"}

    def read_known(file: Path) -> str:
        text = read(file)
        if text not in known:
            raise SetupError(f"{text} is unknown")
        return text

    file = WatchedFile(path, read_known)
    path.write_text("second")
    assert file.current() == "first"
    known.add("second")
    assert file.current() == "second"
