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
        label = first_prediction(url, TIMEOUT_SECONDS)
    except TimeoutError as error:
        sys.stderr.write(f"Lectern is not ready: {error}\n")
        return 1
    sys.stdout.write(
        f"Lectern is ready at {address} and sees: {label}. Try it: "
        f"curl -H 'Content-Type: image/png' --data-binary @{SAMPLE} {url}\n"
    )
    return 0


def first_prediction(url: str, timeout: float) -> str:
    """Ask for a prediction until one is given, and return its label.

    Args:
        url: the `:predict` call of a model.
        timeout: seconds until giving up.

    Raises:
        TimeoutError: no answer in time; the message holds the last failure.
    """
    with open(SAMPLE, "rb") as file:
        request = urllib.request.Request(url, file.read(), {"Content-Type": "image/png"})
    deadline = time.monotonic() + timeout
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return str(json.load(response)["predictions"][0]["label"])
        except urllib.error.HTTPError as error:
            failure = error.read().decode(errors="replace")
        except (OSError, HTTPException) as error:
            failure = str(error)
        if time.monotonic() > deadline:
            raise TimeoutError(f"no prediction from {url} within {timeout:.0f} s: {failure}")
        time.sleep(RETRY_SECONDS)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
