from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.errors import DatasetError
from training.porting.photographs import PHOTOGRAPHS, as_images, cut_views, read_photographs

ROOT = Path(__file__).parents[3]


def test_the_samples_are_read_by_name() -> None:
    files = read_photographs(ROOT / PHOTOGRAPHS)

    assert list(files) == ["astronaut", "cat", "coffee", "flower", "rocket", "temple"]
    images = as_images([files["cat"]], 32)
    assert images.shape == (1, 32, 32, 3)
    assert 50 < images.mean() < 200


def test_a_folder_without_photographs_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no files that end in \.jpg"):
        read_photographs(tmp_path)


def test_views_are_the_whole_its_parts_and_their_mirrors() -> None:
    image = np.zeros((1, 8, 8, 3), np.float32)
    image[:, :4, :4] = 255

    views = cut_views(image)

    assert views.shape == (12, 8, 8, 3)
    np.testing.assert_array_equal(views[0], image[0])
    assert views.mean(axis=(1, 2, 3))[2:6].tolist() == [255, 0, 0, 0]
    np.testing.assert_array_equal(views[6:], views[:6, :, ::-1])
