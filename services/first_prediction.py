"""Wait for the gateway, predict once, say how to go on."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from http.client import HTTPException

SAMPLE = "services/gateway/static/samples/ankle_boot.png"
TIMEOUT_SECONDS = 120.0
RETRY_SECONDS = 0.2


def main(port: int) -> int:
    """Print one line when the first prediction has gone through; return the exit status."""
    address = f"http://127.0.0.1:{port}"
    url = f"{address}/v1/models/cnn:predict"
    try:
        wait_until_ready(f"{address}/readyz", TIMEOUT_SECONDS)
        label = predict(url)
    except OSError as error:
        sys.stderr.write(f"Lectern is not ready: {_describe(error)}\n")
        return 1
    sys.stdout.write(
        f"Lectern is ready at {address} and sees: {label}. Try it: "
        f"curl -H 'Content-Type: image/png' --data-binary @{SAMPLE} {url}\n"
    )
    return 0


def wait_until_ready(url: str, timeout: float) -> None:
    """Ask a readiness probe until it answers 200.

    Args:
        url: the probe.
        timeout: seconds until giving up.

    Raises:
        TimeoutError: it is not ready in time; the message holds its last answer.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except (OSError, HTTPException) as error:
            if time.monotonic() > deadline:
                reason = _describe(error)
                raise TimeoutError(f"{url} after {timeout:.0f} s: {reason}") from None
        time.sleep(RETRY_SECONDS)


def predict(url: str) -> str:
    """Send the sample image to a `:predict` call and return the label that it is given.

    Raises:
        OSError: the call failed.
    """
    with open(SAMPLE, "rb") as file:
        request = urllib.request.Request(url, file.read(), {"Content-Type": "image/png"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return str(json.load(response)["predictions"][0]["label"])


def _describe(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return error.read().decode(errors="replace")
    return str(error)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
