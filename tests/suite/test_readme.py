"""The commands and the output in the README files."""

from __future__ import annotations

import contextlib
import doctest
import json
import re
import subprocess
from pathlib import Path

import pytest
import requests
from PIL import Image

from tests.processes import ROOT, wait_until

README = (ROOT / "README.md").read_text()
GATEWAY_README = (ROOT / "services/gateway/README.md").read_text()


def commands(text: str) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


COMMANDS = commands(README)
CURL_LINES = [line for line in COMMANDS if line.startswith("curl ")]
GATEWAY_CURL_LINES = [line for line in commands(GATEWAY_README) if line.startswith("curl ")]
MAKE_LINES = [line for line in COMMANDS if line.startswith("make ")]


def run(command: str, suite, folder: Path) -> bytes:
    """Runs a command of a README on the suite's port, in a folder with the root's `services`."""
    (folder / "services").symlink_to(ROOT / "services")
    command = command.replace("http://127.0.0.1:8080", suite.gateway)
    command = re.sub(r"(^|\| )curl ", r"\1curl --fail-with-body --silent --show-error ", command)
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def everything(suite):
    """The suite after every model is loaded."""

    def is_ready() -> bool:
        return requests.get(f"{suite.gateway}/readyz", timeout=10).ok

    wait_until(is_ready, 300, "every model ready")
    return suite


@pytest.mark.parametrize("command", CURL_LINES)
def test_every_curl_command_works(command, suite, tmp_path):
    answer = run(command, suite, tmp_path)
    if saved := re.search(r"-o (\S+\.png)", command):
        with Image.open(tmp_path / saved[1]) as picture:
            assert picture.size == (280, 280)
    else:
        assert json.loads(answer)


@pytest.mark.parametrize("command", GATEWAY_CURL_LINES)
def test_every_curl_command_of_the_gateways_readme_works(command, everything, tmp_path):
    answer = run(command, everything, tmp_path)
    if saved := re.search(r"-o (\S+\.png)", command):
        with Image.open(tmp_path / saved[1]) as picture:
            darkest, lightest = picture.convert("L").getextrema()
            assert darkest < lightest
    elif saved := re.search(r"-o (\S+)", command):
        assert (tmp_path / saved[1]).stat().st_size > 100
    else:
        assert json.loads(answer)


def test_the_transcript_of_the_clients_readme_is_real(everything):
    readme = (ROOT / "services/client/README.md").read_text()
    [session] = re.findall(r"```pycon\n(.*?)```", readme, re.DOTALL)
    session = session.replace("http://127.0.0.1:8080", everything.gateway)
    test = doctest.DocTestParser().get_doctest(
        session, {}, "README", "services/client/README.md", 0
    )
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    with contextlib.chdir(ROOT):
        assert runner.run(test) == (0, len(test.examples))


def test_every_call_of_the_gateway_has_a_command(suite):
    paths = requests.get(f"{suite.gateway}/openapi.json", timeout=10).json()["paths"]
    # The verb after the model, or the whole path if it has no model.
    ends = {path.rpartition("}")[2] for path in paths} - {""}
    # No model of the repository parses examples.
    for end in ends - {":classify", ":regress"}:
        pattern = re.compile(rf"{re.escape(end)}(\?|'|\s|$)")
        assert any(pattern.search(line) for line in GATEWAY_CURL_LINES), end


def test_the_printed_answer_is_real(suite, tmp_path):
    (printed,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    answer = json.loads(run(CURL_LINES[0], suite, tmp_path))

    def rounded(value):
        return json.loads(json.dumps(value), parse_float=lambda text: round(float(text), 4))

    assert rounded(answer) == rounded(json.loads(printed))


@pytest.mark.parametrize("command", MAKE_LINES)
def test_every_make_command_has_a_target(command):
    target = command.split()[1]
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_readme_starts_with_the_two_commands():
    assert [command.split()[:2] for command in COMMANDS[:2]] == [["make", "run"], ["make", "test"]]


def test_every_link_points_to_a_file():
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
