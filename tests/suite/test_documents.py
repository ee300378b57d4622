"""The commands and the output in the READMEs and the pages of the manual."""

from __future__ import annotations

import contextlib
import doctest
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import requests
import typer
from PIL import Image

import lectern.cli
import training.cli
from services.gateway.settings import Settings
from services.model_server.config.model_config import read_config_file
from services.model_server.flags import parse_flags
from tests.processes import ROOT, wait_until

README = (ROOT / "README.md").read_text()
GATEWAY_README = (ROOT / "services/gateway/README.md").read_text()
PAGES = [path.read_text() for path in sorted((ROOT / "docs").rglob("*.md"))]
OTHERS = [
    (ROOT / path).read_text()
    for path in ("services/client/README.md", "training/keras_models/README.md")
]
DOCUMENTS = [README, GATEWAY_README, *PAGES, *OTHERS]


def commands(text: str) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def without_variables(command: str) -> str:
    return re.sub(r"^([A-Z_]+=\S+ )+", "", command)


COMMANDS = commands(README)
ALL_COMMANDS = [without_variables(line) for text in DOCUMENTS for line in commands(text)]
CURL_LINES = [line for line in COMMANDS if line.startswith("curl ")]
GATEWAY_CURL_LINES = [line for line in commands(GATEWAY_README) if line.startswith("curl ")]
PAGE_CURL_LINES = [line for text in PAGES for line in commands(text) if line.startswith("curl ")]
MAKE_LINES = [line for line in ALL_COMMANDS if line.startswith("make ")]
COMPOSE_LINES = [line for line in ALL_COMMANDS if line.startswith("docker compose ")]
OVERLAYS = sorted(
    {
        path
        for text in [*DOCUMENTS, (ROOT / "k8s/README.md").read_text()]
        for path in re.findall(r"kubectl (?:apply|delete) -k ([\w/.-]+)", text)
    }
)
CALLS = [line for line in ALL_COMMANDS if re.match(r"lectern (explain|predict|models)\b", line)]
"""They call a running gateway."""

MODULE_LINES = sorted(
    {
        line
        for text in DOCUMENTS
        for line in re.findall(
            r"^(?:\$ |[A-Z_]+=\S+ )*((?:lectern|(?:\.venv/bin/)?python -m [\w.]+) .+)$", text, re.M
        )
    }
)
"""In every kind of block."""

TESTED = re.compile(
    r"(curl|make|lectern|docker compose|(\.venv/bin/)?python -m (training|services))\b"
    r"|kubectl apply -k "
    r"|mv 1/model.savedmodel"  # below
    # Need a cluster, or change the machine.
    r"|kubectl .*(port-forward|get|logs) |pip install |sudo apt-get install "
)


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


@pytest.mark.parametrize("command", GATEWAY_CURL_LINES + PAGE_CURL_LINES)
def test_every_curl_command_of_the_manual_works(command, everything, tmp_path):
    answer = run(command, everything, tmp_path)
    if saved := re.search(r"-o (\S+\.png)", command):
        with Image.open(tmp_path / saved[1]) as picture:
            darkest, lightest = picture.convert("L").getextrema()
            assert darkest < lightest
    elif saved := re.search(r"-o (\S+)", command):
        assert (tmp_path / saved[1]).stat().st_size > 100
    else:
        assert json.loads(answer)


@pytest.mark.parametrize(
    "session",
    [part for text in DOCUMENTS for part in re.findall(r"```pycon\n(.*?)```", text, re.DOTALL)],
    ids=lambda session: session.splitlines()[-1],
)
def test_every_python_session_is_real(session, everything):
    session = session.replace("http://127.0.0.1:8080", everything.gateway)
    test = doctest.DocTestParser().get_doctest(session, {}, "session", "manual", 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    with contextlib.chdir(ROOT):
        assert runner.run(test) == (0, len(test.examples))


@pytest.mark.parametrize("command", CALLS)
def test_every_call_of_a_running_gateway_works(command, suite, tmp_path, monkeypatch, capsys):
    (tmp_path / "services").symlink_to(ROOT / "services")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LECTERN_URL", suite.gateway)
    with pytest.raises(SystemExit) as ended:
        lectern.cli.main(shlex.split(command, comments=True)[1:])
    assert ended.value.code == 0
    output = capsys.readouterr().out
    for written in re.findall(r"Wrote (\S+)", output):
        with Image.open(tmp_path / written) as picture:
            assert picture.size == (28, 28)
    assert output


@pytest.mark.parametrize("command", MODULE_LINES)
def test_every_command_line_is_understood(command):
    _, *words = re.split(r"^(?:lectern|\S*python -m) ?", command)
    arguments = shlex.split(words[0].partition(" | ")[0], comments=True)
    program = "lectern" if command.startswith("lectern") else arguments.pop(0)
    if "--help" in arguments:
        return
    if program == "services.model_server":
        assert parse_flags(arguments)
    elif program == "services.gateway":
        assert Settings(_cli_parse_args=arguments, _cli_kebab_case=True)
    elif program in ("lectern", "training"):
        app = lectern.cli.app if program == "lectern" else training.cli.app
        name, *rest = arguments
        assert typer.main.get_command(app).commands[name].make_context(name, rest)


def test_every_command_is_of_a_kind_that_is_tested():
    assert [line for line in ALL_COMMANDS if not TESTED.match(line)] == []


def test_a_model_repository_of_triton_is_converted(tmp_path):
    (tmp_path / "1" / "model.savedmodel" / "variables").mkdir(parents=True)
    (tmp_path / "1" / "model.savedmodel" / "saved_model.pb").touch()
    [command] = [line for line in ALL_COMMANDS if line.startswith("mv ")]
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True)
    assert {path.name for path in (tmp_path / "1").iterdir()} == {"saved_model.pb", "variables"}


@pytest.mark.parametrize(
    "config",
    [part for text in PAGES for part in re.findall(r"```textproto\n(.*?)```", text, re.DOTALL)],
)
def test_every_configuration_of_models_can_be_read(config, tmp_path):
    (tmp_path / "models.config").write_text(config)
    assert [model.name for model in read_config_file(tmp_path / "models.config")] == ["resnet"]


@pytest.mark.parametrize("command", COMPOSE_LINES)
def test_every_file_of_a_compose_command_exists(command):
    for name in re.findall(r" -f (\S+)", command):
        assert (ROOT / name).is_file()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_overlay_exists(overlay):
    assert (ROOT / overlay / "kustomization.yaml").is_file()


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
