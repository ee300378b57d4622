from __future__ import annotations

import pytest

from training.errors import UnknownNameError
from training.zoo import NETWORKS, find_network


@pytest.mark.parametrize("entry", NETWORKS.values(), ids=NETWORKS)
def test_every_network_has_both_presets(entry: object) -> None:
    assert set(entry.recipes) == {"quick", "full"}


@pytest.mark.parametrize("entry", NETWORKS.values(), ids=NETWORKS)
def test_every_model_bears_its_networks_name(entry: object) -> None:
    assert entry.build().name == entry.name


@pytest.mark.parametrize("size", ["", "_small"])
def test_a_mimic_is_a_twentieth_of_its_teacher_and_differs_from_the_student_in_it_alone(
    size: str,
) -> None:
    mimic, student = find_network(f"mimic{size}"), find_network(f"student{size}")

    assert mimic.build().count_params() * 20 <= find_network(mimic.teacher).build().count_params()
    assert mimic.build().count_params() == student.build().count_params()
    assert mimic.recipes == student.recipes


def test_the_resnet_has_at_most_600_000_parameters() -> None:
    assert find_network("resnet").build().count_params() <= 600_000


def test_an_unknown_network_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"no network named 'cnm'. Known: .*cnn, "):
        find_network("cnm")


def test_an_unknown_preset_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"no preset named 'best'. Known: quick, full"):
        find_network("cnn").recipe("best")
