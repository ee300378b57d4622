from __future__ import annotations

from pathlib import Path

import pytest

from services.console import Console, default_log_path


def test_without_a_log_file_everything_is_on_the_screen(capsys):
    console = Console()
    console.say("ready [1/2] :bell:")
    console.log("a request " * 30)
    console.progress("models 1/2")
    console.progress("")
    # No terminal: no progress, no escape codes, no line broken.
    assert capsys.readouterr().out == "ready [1/2] :bell:\n" + ("a request " * 30).rstrip() + "\n"


def test_with_a_log_file_only_messages_are(capsys, tmp_path):
    with Console(tmp_path / "state" / "lectern.log") as console:
        console.say("ready")
        console.log("a request\n")
    assert capsys.readouterr().out == "ready\n"
    assert (tmp_path / "state" / "lectern.log").read_text() == "a request\n"


def test_a_full_disk_costs_lines_of_the_log_only():
    with Console(Path("/dev/full")) as console:
        console.log("a request")
        console.log("another one")


def test_on_a_terminal_progress_is_replaced(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "xterm")
    with Console(tmp_path / "lectern.log") as console:
        console.progress("models 1/2")
        console.progress("")
        console.say("ready")
    progress, erase, rest = capsys.readouterr().out.rpartition("\x1b[2K")
    assert "models 1/2" in progress
    assert erase
    assert rest == "ready\n"


def test_a_file_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        Console(tmp_path / "file" / "lectern.log")


def test_the_log_file_is_in_the_folder_for_state(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_log_path(8080) == tmp_path / "lectern" / "8080.log"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/user")
    assert str(default_log_path(9080)) == "/home/user/.local/state/lectern/9080.log"
