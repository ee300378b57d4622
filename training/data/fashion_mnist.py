"""Fashion-MNIST (Xiao et al. 2017, https://arxiv.org/abs/1708.07747) as numpy arrays."""

from __future__ import annotations

import gzip
import hashlib
import os
import platform
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from training.errors import DatasetError

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
IMAGE_SHAPE = (28, 28, 1)
VALIDATION_SIZE = 5_000

DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
DEBIAN_PACKAGE = "dataset-fashion-mnist"
KERAS_HOME = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
CACHE_SUBFOLDER = Path("datasets") / "fashion-mnist"
DOWNLOAD_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

# Checksums of the unpacked files: each distributor compresses them differently.
SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}


@dataclass(frozen=True)
class Split:
    """Labelled images.

    Attributes:
        images: uint8 [N, 28, 28], 0 (background) to 255; or features of a frozen network,
            float16 [N, H, W, C].
        labels: uint8 [N], indices into `CLASS_NAMES`.
    """

    images: npt.NDArray[np.uint8 | np.float16]
    labels: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)

    def tensors(self) -> tuple[npt.NDArray[np.uint8 | np.float16], npt.NDArray[np.uint8]]:
        """Returns the images with their channels, [N, H, W, C], and the labels."""
        # Features of a frozen network already have channels.
        images = self.images[..., None] if self.images.ndim == 3 else self.images
        return images, self.labels

    def take(self, selection: slice | npt.NDArray[np.intp]) -> Split:
        """Returns the selected images and labels, in the order of the selection."""
        return Split(self.images[selection], self.labels[selection])


def load_training(folder: Path | None = None) -> tuple[Split, Split]:
    """Loads the training set and splits off a validation set by a fixed seed.

    Args:
        folder: Folder with the four files; None searches the usual folders, then downloads.

    Returns:
        The training and the validation set (55,000 and 5,000 images).

    Raises:
        DatasetError: A file is missing, truncated or differs from the published one.
    """
    examples = _load("train", folder)
    order = np.random.default_rng(seed=0).permutation(len(examples))
    # Smaller data sets, as in tests, are split in the same proportion.
    validation_size = min(VALIDATION_SIZE, len(examples) // 12)
    return examples.take(order[validation_size:]), examples.take(order[:validation_size])


def load_test(folder: Path | None = None) -> Split:
    """Loads the test set (10,000 images), which is only for final evaluations.

    Args:
        folder: Folder with the four files; None searches the usual folders, then downloads.

    Raises:
        DatasetError: A file is missing, truncated or differs from the published one.
    """
    return _load("t10k", folder)


def slug(class_name: str) -> str:
    """Returns a class name as a file name: `T-shirt/top` becomes `t_shirt_top`."""
    return re.sub(r"[^a-z0-9]+", "_", class_name.lower()).strip("_")


def _load(prefix: str, folder: Path | None) -> Split:
    folder = folder or _find_folder()
    images = _read_idx(folder / f"{prefix}-images-idx3-ubyte.gz")
    labels = _read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz")
    return Split(images, labels)


def _find_folder() -> Path:
    for folder in (DEBIAN_FOLDER, KERAS_HOME / CACHE_SUBFOLDER):
        if all((folder / f"{name}.gz").exists() for name in SHA256):
            return folder
    return _download()


def _download() -> Path:
    for name in SHA256:
        try:
            path = keras.utils.get_file(
                f"{name}.gz",
                DOWNLOAD_URL + f"{name}.gz",
                cache_dir=KERAS_HOME,
                cache_subdir=CACHE_SUBFOLDER,
            )
        except Exception as error:  # get_file raises a plain Exception if the download fails.
            raise DatasetError(
                f"Fashion-MNIST was found neither in {DEBIAN_FOLDER} nor in "
                f"{KERAS_HOME / CACHE_SUBFOLDER}, and the download failed: {error}. "
                f"{_package_hint()}Or name a folder that contains "
                f"{', '.join(f'{name}.gz' for name in SHA256)} with --data or FASHION_MNIST_DIR."
            ) from error
    # Keras uses another folder if it cannot write to its own.
    return Path(path).parent


def _package_hint() -> str:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return ""
    is_debian = "debian" in (release.get("ID", ""), *release.get("ID_LIKE", "").split())
    return f"Run `apt-get install {DEBIAN_PACKAGE}`. " if is_debian else ""


def _read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """Reads a gzipped IDX file of unsigned bytes (http://yann.lecun.com/exdb/mnist/)."""
    try:
        content = gzip.decompress(path.read_bytes())
    except FileNotFoundError as error:
        raise DatasetError(f"{path} does not exist; expected a file of Fashion-MNIST.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(
            f"{path} cannot be unpacked ({error}); expected a complete gzip file. Delete it and "
            f"download it again."
        ) from error
    _verify(path, content)
    dimensions = content[3]
    shape = np.frombuffer(content, ">u4", count=dimensions, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def _verify(path: Path, content: bytes) -> None:
    expected = SHA256[path.stem]
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise DatasetError(
            f"{path} is not the published Fashion-MNIST file: expected the unpacked SHA-256 "
            f"{expected}, found {found} of {len(content):,} bytes. (MNIST's files have the same "
            f"names.) Delete it and download it again."
        )
