from __future__ import annotations

import gc

from structlog.testing import capture_logs

from services.gateway.process.startup import load_app
from services.gateway.settings import Settings


def test_the_collector_passes_over_what_is_loaded(fake):
    app = load_app(Settings(model_server=fake.address, models=("classifier",)))
    try:
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
    assert app is not None
    assert app.test_client().get("/readyz").status_code == 200
    app.extensions["lectern"].model_server.close()


def test_an_unusable_setting_is_one_log_line(tmp_path):
    with capture_logs() as lines:
        assert load_app(Settings(api_keys_file=tmp_path / "none")) is None
    [line] = lines
    assert line["log_level"] == "error"
    assert "LECTERN_API_KEYS_FILE" in line["reason"]
