"""Waits until the gateway serves a model, and prints a command to try."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any

SAMPLE = "services/gateway/static/samples/ankle_boot.png"
DEMONSTRATION = "cnn"
TIMEOUT_SECONDS = 300.0
RETRY_SECONDS = 1.0


def main(port: int) -> int:
    """Prints one line when the first model answers; returns the exit status."""
    address = f"http://127.0.0.1:{port}"
    try:
        print_greeting(address, wait_for_model(f"{address}/v1/models", TIMEOUT_SECONDS))
    except OSError as error:
        sys.stderr.write(f"Lectern is not ready: {_describe(error)}\n")
        return 1
    return 0


def print_greeting(address: str, model: str) -> None:
    """Prints a command to try with an available model.

    Raises:
        OSError: a call failed.
    """
    url = f"{address}/v1/models/{model}:predict"
    if model == DEMONSTRATION:
        sys.stdout.write(
            f"Lectern is ready at {address} and sees: {predict(url)}. Try it: "
            f"curl -H 'Content-Type: image/png' --data-binary @{SAMPLE} {url}\n"
        )
    else:
        sys.stdout.write(
            f"Lectern is ready at {address} and serves {model}. Try it: "
            f"lectern predict {model} photo.jpg --url {address}\n"
        )


def wait_for_model(url: str, timeout: float) -> str:
    """Polls the states of all models until one is AVAILABLE, and returns its name.

    If the demonstration's model is among them, it waits for that one.

    Args:
        url: the call that lists the models; `/readyz` would wait for all of them.
        timeout: seconds until giving up.

    Raises:
        TimeoutError: no model is available in time; the message contains the last answer.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                answer = response.read().decode()
            if model := _first_available(json.loads(answer)["models"]):
                return model
        except (OSError, HTTPException, ValueError, KeyError) as error:
            answer = _describe(error)
        if time.monotonic() > deadline:
            raise TimeoutError(f"{url} after {timeout:.0f} s: {answer}")
        time.sleep(RETRY_SECONDS)


def _first_available(models: list[dict[str, Any]]) -> str | None:
    available = [
        model["name"]
        for model in models
        if any(version["state"] == "AVAILABLE" for version in model.get("versions", ()))
    ]
    if DEMONSTRATION in (model["name"] for model in models):
        return DEMONSTRATION if DEMONSTRATION in available else None
    return available[0] if available else None


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
