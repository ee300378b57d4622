"""Evaluates queries and alerts over made-up series, with promtool."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

Series = dict[str, str]
"""Values of each series, in promtool's notation: `0+60x10` rises by 60 a minute."""


def run_test(folder: Path, series: Series, test: dict[str, Any], rules: Any = None) -> None:
    """Runs a test of promtool: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/.

    Args:
        folder: an empty folder.
        series: the series, with a value each minute.
        test: the members `promql_expr_test` or `alert_rule_test`.
        rules: the content of a file of rules.

    Raises:
        AssertionError: the test fails; the message has promtool's output.
    """
    (folder / "rules.json").write_text(json.dumps(rules or {"groups": []}))
    values = [{"series": name, "values": value} for name, value in series.items()]
    content = {"interval": "1m", "input_series": values, **test}
    path = folder / "test.json"
    path.write_text(json.dumps({"rule_files": ["rules.json"], "tests": [content]}))
    process = subprocess.run(
        ["promtool", "test", "rules", path], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr


def check_value(folder: Path, query: str, series: Series, expected: float) -> None:
    """Checks the only value of a query after ten minutes.

    Raises:
        AssertionError: the query has another value, several, or none.
    """
    samples = [{"value": expected, "labels": "{}"}]
    case = {"expr": query, "eval_time": "10m", "exp_samples": samples}
    run_test(folder, series, {"promql_expr_test": [case]})
