from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data.fashion_mnist import CLASS_NAMES, load_test, slug
from training.data.samples import write_samples

COMMITTED = Path(__file__).parents[3] / "services" / "gateway" / "static" / "samples"


def test_each_is_the_first_of_its_class(tiny_data: Path, tmp_path: Path) -> None:
    test = load_test(tiny_data)

    paths = write_samples(tmp_path / "samples", test)

    assert [path.stem for path in paths] == [slug(name) for name in CLASS_NAMES]
    for label, path in enumerate(paths):
        np.testing.assert_array_equal(np.asarray(Image.open(path)), test.images[label])


@pytest.mark.dataset
def test_the_committed_ones_are_what_the_command_writes(tmp_path: Path) -> None:
    for path in write_samples(tmp_path, load_test()):
        assert (COMMITTED / path.name).read_bytes() == path.read_bytes()
