from __future__ import annotations

import pytest

from services.gateway.deadline import start_deadline, time_left
from services.gateway.errors import ModelServerProblem


def test_the_time_of_a_request_runs_out(app):
    with app.test_request_context():
        start_deadline(5)
        first = time_left()
        assert time_left() <= first <= 5
        start_deadline(0)
        with pytest.raises(ModelServerProblem, match="LECTERN_TIMEOUT_SECONDS") as caught:
            time_left()
        assert caught.value.status == 504
