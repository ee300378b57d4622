from __future__ import annotations

import pytest

from training.errors import UnknownNameError
from training.zoo import NETWORKS, network


@pytest.mark.parametrize("entry", NETWORKS.values(), ids=NETWORKS)
def test_every_network_has_both_presets(entry: object) -> None:
    assert set(entry.recipes) == {"quick", "full"}


def test_an_unknown_network_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"no network named 'cnm'. Known: cnn"):
        network("cnm")


def test_an_unknown_preset_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"no preset named 'best'. Known: quick, full"):
        network("cnn").recipe("best")
