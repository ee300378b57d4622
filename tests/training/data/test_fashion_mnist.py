from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.training.tiny import SIZES, write_dataset
from training.data import fashion_mnist as data
from training.errors import DatasetError


@pytest.fixture
def empty_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Neither the package's folder nor the cache exists; both lie under this path."""
    monkeypatch.setattr(data, "DEBIAN_FOLDER", tmp_path / "debian")
    (tmp_path / "keras").mkdir()
    monkeypatch.setattr(data, "KERAS_HOME", tmp_path / "keras")
    monkeypatch.setattr(data, "CACHE_SUBFOLDER", Path("cache"))
    return tmp_path


def fail_to_download(*_: object, **__: object) -> str:
    raise Exception("URL fetch failure")


def test_the_training_set_is_split_without_loss_or_overlap(tiny_data: Path) -> None:
    training, validation = data.load_training(tiny_data)

    assert (len(training), len(validation)) == (220, 20)
    assert training.images.shape == (220, 28, 28)
    assert training.images.dtype == training.labels.dtype == np.uint8
    together = np.concatenate([training.images, validation.images])
    assert len(np.unique(together, axis=0)) == SIZES["train"]


def test_the_split_is_the_same_every_time(tiny_data: Path) -> None:
    first, second = data.load_training(tiny_data)[1], data.load_training(tiny_data)[1]

    np.testing.assert_array_equal(first.images, second.images)


def test_images_keep_their_labels(tiny_data: Path) -> None:
    for split in (*data.load_training(tiny_data), data.load_test(tiny_data)):
        brightest_row = split.images.astype(int).sum(axis=2).argmax(axis=1)
        np.testing.assert_array_equal((brightest_row - 4) // 2, split.labels)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"nowhere/t10k-images-idx3-ubyte\.gz does not exist"):
        data.load_test(tmp_path / "nowhere")


def test_a_truncated_file_is_named(tiny_data: Path, tmp_path: Path) -> None:
    for path in tiny_data.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    path = tmp_path / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(DatasetError, match=r"t10k-images-idx3-ubyte\.gz cannot be unpacked"):
        data.load_test(tmp_path)


def test_a_file_that_is_no_gzip_is_named(tiny_data: Path, tmp_path: Path) -> None:
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(b"<html>not here</html>")

    with pytest.raises(DatasetError, match=r"t10k-images-idx3-ubyte\.gz cannot be unpacked"):
        data.load_test(tmp_path)


def test_another_data_set_under_the_same_names_is_refused(tiny_folder: Path) -> None:
    expected = data.SHA256["t10k-images-idx3-ubyte"]

    with pytest.raises(DatasetError, match=rf"t10k-images.*expected.*{expected}, found [0-9a-f]+"):
        data.load_test(tiny_folder)


def test_the_package_comes_before_the_cache(tiny_data: Path, empty_places: Path) -> None:
    write_dataset(empty_places / "debian")
    (empty_places / "keras" / "cache").mkdir()
    for name in data.SHA256:
        (empty_places / "keras" / "cache" / f"{name}.gz").write_bytes(b"must not be read")

    assert len(data.load_test()) == SIZES["t10k"]


def test_the_cache_serves_where_the_package_is_missing(tiny_data: Path, empty_places: Path) -> None:
    write_dataset(empty_places / "keras" / "cache")

    assert len(data.load_test()) == SIZES["t10k"]


def test_the_download_fills_the_cache(
    tiny_data: Path, empty_places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "DOWNLOAD_URL", f"{tiny_data.as_uri()}/")

    assert len(data.load_test()) == SIZES["t10k"]
    assert len(list((empty_places / "keras" / "cache").glob("*.gz"))) == 4


@pytest.mark.parametrize(
    ("release", "names_package"),
    [
        ({"ID": "debian"}, True),
        ({"ID": "ubuntu", "ID_LIKE": "debian"}, True),
        ({"ID": "fedora"}, False),
    ],
)
def test_the_package_is_named_where_it_helps(
    release: dict[str, str],
    names_package: bool,
    empty_places: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keras.utils, "get_file", fail_to_download)
    monkeypatch.setattr(data.platform, "freedesktop_os_release", lambda: release)

    with pytest.raises(DatasetError, match="URL fetch failure") as raised:
        data.load_test()

    assert ("apt-get install dataset-fashion-mnist" in str(raised.value)) == names_package


@pytest.mark.parametrize(
    ("class_name", "expected"),
    [("T-shirt/top", "t_shirt_top"), ("Ankle boot", "ankle_boot"), ("Bag", "bag")],
)
def test_slug(class_name: str, expected: str) -> None:
    assert data.slug(class_name) == expected


@pytest.mark.dataset
def test_the_published_data_set_has_its_known_counts() -> None:
    training, validation = data.load_training()
    test = data.load_test()

    labels = np.concatenate([training.labels, validation.labels])
    assert np.bincount(labels).tolist() == [6_000] * 10
    assert np.bincount(test.labels).tolist() == [1_000] * 10
    assert len(validation) == data.VALIDATION_SIZE
