from __future__ import annotations

import subprocess

from tests.processes import ROOT, module


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = module("services.gateway", *arguments)
    return subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60
    )


def test_help_describes_the_settings():
    finished = run("--help")
    assert finished.returncode == 0
    assert "--model-server" in finished.stdout
    assert "127.0.0.1:8500" in finished.stdout


def test_a_bad_setting_is_one_line():
    finished = run("--port", "x")
    assert finished.returncode == 1
    assert finished.stderr.count("\n") == 1
    assert "LECTERN_PORT" in finished.stderr
    assert "'x'" in finished.stderr
