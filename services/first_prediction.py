"""Waits for the gateway, predicts once, and prints a command to try."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from http.client import HTTPException

SAMPLE = "services/gateway/static/samples/ankle_boot.png"
TIMEOUT_SECONDS = 300.0
RETRY_SECONDS = 1.0


def main(port: int) -> int:
    """Prints one line when the first prediction has succeeded; returns the exit status."""
    address = f"http://127.0.0.1:{port}"
    url = f"{address}/v1/models/cnn:predict"
    try:
        wait_until_available(f"{address}/v1/models/cnn", TIMEOUT_SECONDS)
        label = predict(url)
    except OSError as error:
        sys.stderr.write(f"Lectern is not ready: {_describe(error)}\n")
        return 1
    sys.stdout.write(
        f"Lectern is ready at {address} and sees: {label}. Try it: "
        f"curl -H 'Content-Type: image/png' --data-binary @{SAMPLE} {url}\n"
    )
    return 0


def wait_until_available(url: str, timeout: float) -> None:
    """Asks for the status of a model until a version of it is AVAILABLE.

    Args:
        url: the status call; other models may still be loading, which `/readyz` would wait for.
        timeout: seconds until giving up.

    Raises:
        TimeoutError: it is not available in time; the message holds the last answer.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                answer = response.read().decode()
        except (OSError, HTTPException) as error:
            answer = _describe(error)
        if '"AVAILABLE"' in answer:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{url} after {timeout:.0f} s: {answer}")
        time.sleep(RETRY_SECONDS)


def predict(url: str) -> str:
    """Sends the sample image to a `:predict` call and returns its label.

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
