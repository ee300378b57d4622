"""The model zoo: all networks, with their training recipes and exported signatures."""

from __future__ import annotations

from training.errors import PortedNetworkError, UnknownNameError
from training.zoo import (
    autoencoders,
    classical,
    convolutional,
    distilled,
    generative,
    recurrent,
    text,
)
from training.zoo.network import Network
from training.zoo.ported import PORTED

NETWORKS: dict[str, Network] = {
    entry.name: entry
    for family in (classical, convolutional, distilled, recurrent, autoencoders, generative, text)
    for entry in family.NETWORKS
}


def find_network(name: str) -> Network:
    """Returns the network with a name.

    Raises:
        UnknownNameError: The zoo has no such network.
        PortedNetworkError: The network is not trained here.
    """
    if name in PORTED:
        raise PortedNetworkError(name, PORTED[name].package)
    if name not in NETWORKS:
        raise UnknownNameError("network", name, list(NETWORKS))
    return NETWORKS[name]
