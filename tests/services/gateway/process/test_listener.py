from __future__ import annotations

import pytest

from services.gateway.process.listener import ListenError, listen


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_explained(host):
    with pytest.raises(ListenError, match="LECTERN_HOST"):
        listen(host, 0)
