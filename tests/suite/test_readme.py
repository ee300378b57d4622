"""What the README promises is what happens."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from tests.processes import ROOT

README = (ROOT / "README.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
CURL_LINES = [line for line in COMMANDS if line.startswith("curl ")]
MAKE_LINES = [line for line in COMMANDS if line.startswith("make ")]


def run(command: str, suite, folder: Path) -> bytes:
    """Run a line of the README against the suite's own port, in a folder that is like the root."""
    (folder / "services").symlink_to(ROOT / "services")
    command = command.replace("http://127.0.0.1:8080", suite.gateway)
    command = command.replace("curl ", "curl --fail-with-body --silent --show-error ", 1)
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


@pytest.mark.parametrize("command", CURL_LINES)
def test_every_curl_line_works(command, suite, tmp_path):
    answer = run(command, suite, tmp_path)
    if saved := re.search(r"-o (\S+\.png)", command):
        with Image.open(tmp_path / saved[1]) as picture:
            assert picture.size == (280, 280)
    else:
        assert json.loads(answer)


def test_the_printed_answer_is_the_real_one(suite, tmp_path):
    (printed,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    answer = json.loads(run(CURL_LINES[0], suite, tmp_path))

    def rounded(value):
        return json.loads(json.dumps(value), parse_float=lambda text: round(float(text), 4))

    assert rounded(answer) == rounded(json.loads(printed))


@pytest.mark.parametrize("command", MAKE_LINES)
def test_every_make_line_names_a_target(command):
    target = command.split()[1]
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_readme_opens_with_the_two_commands():
    assert [command.split()[:2] for command in COMMANDS[:2]] == [["make", "run"], ["make", "test"]]


def test_every_link_leads_to_a_file():
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
