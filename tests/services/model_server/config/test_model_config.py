"""Model config files, good and bad."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.model_server.config.model_config import ConfigError, read_config_file

MODEL = 'config {{ name: "{name}" base_path: "{base_path}" model_platform: "tensorflow" }}'


def write(folder: Path, *models: str) -> Path:
    path = folder / "models.config"
    path.write_text("model_config_list { " + " ".join(models) + " }")
    return path


def test_reads_names_policies_and_labels(tmp_path: Path) -> None:
    path = tmp_path / "models.config"
    path.write_text(
        """
        model_config_list {
          config {
            name: "cnn" base_path: "/nowhere/cnn" model_platform: "tensorflow"
            model_version_policy { specific { versions: 2 versions: 3 } }
            version_labels { key: "stable" value: 2 }
          }
        }
        """
    )
    [model] = read_config_file(path)
    assert model.name == "cnn"
    assert list(model.model_version_policy.specific.versions) == [2, 3]
    assert dict(model.version_labels) == {"stable": 2}


@pytest.mark.parametrize("base_path", ["/nowhere/cnn", "cnn", "nowhere/cnn"])
def test_finds_the_base_path_beside_the_file(tmp_path: Path, base_path: str) -> None:
    (tmp_path / "cnn").mkdir()
    [model] = read_config_file(write(tmp_path, MODEL.format(name="cnn", base_path=base_path)))
    assert Path(model.base_path) == tmp_path / "cnn"


def test_finds_a_relative_base_path_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / "deep" / "cnn").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    [model] = read_config_file(write(tmp_path, MODEL.format(name="cnn", base_path="deep/cnn")))
    assert Path(model.base_path).samefile(tmp_path / "here" / "deep" / "cnn")


def test_an_existing_base_path_stays(tmp_path: Path) -> None:
    (tmp_path / "cnn").mkdir()
    elsewhere = tmp_path / "elsewhere" / "cnn"
    elsewhere.mkdir(parents=True)
    [model] = read_config_file(write(tmp_path, MODEL.format(name="cnn", base_path=elsewhere)))
    assert Path(model.base_path) == elsewhere


def test_a_base_path_found_nowhere_stays(tmp_path: Path) -> None:
    [model] = read_config_file(write(tmp_path, MODEL.format(name="cnn", base_path="/models/cnn")))
    assert model.base_path == "/models/cnn"


def test_text_that_is_no_config_says_where_and_why(tmp_path: Path) -> None:
    path = tmp_path / "models.config"
    path.write_text("model_config_list {\n  config { nome: 'cnn' }\n}")
    with pytest.raises(ConfigError) as caught:
        read_config_file(path)
    message = str(caught.value)
    assert message.startswith("Error parsing text-format tensorflow.serving.ModelServerConfig: ")
    assert f"{path}, line 2:" in message
    assert '"nome"' in message


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (['config { base_path: "/m" model_platform: "tensorflow" }'], "model 1 of .* no name"),
        (['config { name: "m" model_platform: "tensorflow" }'], "model 1 of .* no base_path"),
        (['config { name: "m" base_path: "/m" }'], "the model_platform '', expected 'tensorflow'"),
        (
            ['config { name: "m" base_path: "/m" model_platform: "onnx" }'],
            "the model_platform 'onnx', expected 'tensorflow'",
        ),
        ([MODEL.format(name="m", base_path="/m")] * 2, "list model m multiple times"),
    ],
)
def test_a_model_that_cannot_be_served_is_named(
    tmp_path: Path, models: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        read_config_file(write(tmp_path, *models))


def test_the_deprecated_model_type_is_a_platform(tmp_path: Path) -> None:
    [model] = read_config_file(
        write(tmp_path, 'config { name: "m" base_path: "/m" model_type: TENSORFLOW }')
    )
    assert model.name == "m"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.config cannot be read: .*No such file"):
        read_config_file(tmp_path / "none.config")


def test_a_custom_config_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "models.config"
    path.write_text("custom_model_config {}")
    with pytest.raises(ConfigError, match="expected a model_config_list"):
        read_config_file(path)


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    path = write(tmp_path, MODEL.format(name="cnn", base_path="/nowhere"))
    path.write_text(path.read_text(), encoding="utf-8-sig")
    assert [model.name for model in read_config_file(path)] == ["cnn"]


@pytest.mark.parametrize("url", ["file:///models/cnn", "gs://bucket/cnn", "s3://bucket/cnn"])
def test_a_url_stays_as_it_is(tmp_path: Path, url: str) -> None:
    [model] = read_config_file(write(tmp_path, MODEL.format(name="cnn", base_path=url)))
    assert model.base_path == url
