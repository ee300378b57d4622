from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import fsspec
import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.gateway.settings import Settings, SetupError
from services.gateway.telemetry import payload_files
from services.gateway.telemetry.payload_files import Folder, Store, open_payload_files
from tests.processes import wait_until
from tests.services.gateway.disk import fill


def count(outcome: str) -> float:
    labels = {"outcome": outcome}
    return REGISTRY.get_sample_value("payload_log_records_total", labels) or 0.0


def line(number: int) -> bytes:
    return json.dumps({"number": number, "padding": "x" * 80}).encode() + b"\n"


def numbers(folder: Path) -> list[int]:
    """The lines of all files, each of which is whole."""
    files = sorted(folder.glob("payloads-*.jsonl"))
    return [json.loads(each)["number"] for file in files for each in file.read_text().splitlines()]


@pytest.fixture
def folder() -> Iterator[Callable[[Path, int, int], Folder]]:
    """Make folders that are closed at the end."""
    with ExitStack() as opened:
        yield lambda *arguments: opened.enter_context(closing(Folder(*arguments)))


def test_files_are_rotated(folder, tmp_path):
    files = folder(tmp_path / "new", 1000, 10_000)
    for number in range(30):
        files.write(line(number))
    found = list((tmp_path / "new").iterdir())
    assert len(found) == 4  # Nine lines fit into each.
    assert max(file.stat().st_size for file in found) <= 1000
    assert numbers(tmp_path / "new") == list(range(30))


def test_the_oldest_files_are_removed_and_no_others(folder, tmp_path):
    other = tmp_path / "mine.jsonl"
    other.write_text("kept")
    files = folder(tmp_path, 500, 1500)
    for number in range(60):
        files.write(line(number))
    assert sum(file.stat().st_size for file in tmp_path.glob("payloads-*")) <= 1500
    assert numbers(tmp_path)[-1] == 59
    assert other.exists()


def test_a_file_that_was_removed_is_replaced(folder, tmp_path):
    files = folder(tmp_path, 1000, 10_000)
    files.write(line(1))
    [file] = tmp_path.iterdir()
    file.unlink()
    files.write(line(2))
    assert numbers(tmp_path) == [2]


def test_a_full_disk_drops_lines_and_leaves_no_part_of_one(folder, disk):
    files = folder(disk, 10_000, 100_000)
    files.write(line(0))
    filler = fill(disk)
    before = count("written"), count("write_failed")
    with capture_logs() as lines:
        for number in range(1, 200):
            files.write(line(number))
    written, failed = count("written") - before[0], count("write_failed") - before[1]
    assert written + failed == 199
    assert failed > 100
    assert len(numbers(disk)) == 1 + written
    assert [each["event"] for each in lines].count(
        "cannot write the payload log, drops records until it can"
    ) == len(lines)
    filler.unlink()
    files.write(line(200))
    assert numbers(disk)[-1] == 200


@pytest.fixture
def store() -> Iterator[Store]:
    files = Store("memory://payloads", 1000)
    yield files
    files._store.rm("/payloads", recursive=True)


def objects() -> list[list[int]]:
    memory = fsspec.filesystem("memory")
    contents = [memory.cat_file(path) for path in sorted(memory.find("/payloads"))]
    return [[json.loads(each)["number"] for each in content.splitlines()] for content in contents]


def test_a_store_gets_objects_of_lines(store):
    for number in range(25):
        store.write(line(number))
    assert objects() == [list(range(10)), list(range(10, 20))]
    store.close()
    assert objects()[2] == list(range(20, 25))


def test_a_line_is_not_kept_for_longer_than_a_while(store, monkeypatch):
    monkeypatch.setattr(payload_files, "SECONDS_TO_UPLOAD", 0.01)
    store.write(line(1))
    wait_until(lambda: bool(objects()), 30, "the object")
    assert objects() == [[1]]


def test_written_objects_leave_no_threads(store):
    def timers():
        return [each for each in threading.enumerate() if isinstance(each, threading.Timer)]

    before = timers()
    for number in range(50):
        store.write(line(number))
    wait_until(lambda: not {*timers()} - {*before}, 30, "the timers of written objects end")


def test_a_store_that_fails_drops_its_lines(store, monkeypatch):
    def fail(path: str, content: bytes) -> None:
        raise RuntimeError("expired")

    before = count("write_failed")
    with monkeypatch.context() as patch:
        patch.setattr(store._store, "pipe_file", fail)
        with capture_logs() as lines:
            for number in range(20):
                store.write(line(number))
    assert count("write_failed") - before == 20
    assert [each["reason"] for each in lines] == ["expired"]
    store.write(line(20))
    store.close()
    assert objects() == [[20]]


def test_a_target_that_cannot_be_used_is_refused(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for target, words in [
        (str(tmp_path / "file" / "folder"), "cannot be used"),
        ("unheard-of://bucket", "cannot be used"),
    ]:
        with pytest.raises(SetupError, match=words):
            open_payload_files(Settings(), target)
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(SetupError, match=r"lectern\[fsspec\]"):
        open_payload_files(Settings(), "memory://payloads")
