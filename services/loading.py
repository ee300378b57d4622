"""Follows the models while they load, and prints what to try as soon as the first one answers."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterable
from http.client import HTTPException
from pathlib import Path
from typing import Any

from services.console import Console

SAMPLE = Path(__file__).parent / "gateway/static/samples/ankle_boot.png"
DEMONSTRATION = "cnn"
_SECONDS_BETWEEN_POLLS = 0.5
_SECONDS_TO_STOP = 1.0

_NO_ANSWER = (OSError, HTTPException, ValueError, KeyError)
"""What a call raises that is not answered, or by another program that has taken the port."""

_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
"""Calls services of this machine, for which a proxy of the environment is not meant."""


class Loading:
    """The models of a suite that starts.

    Its polls are calls that the services do not log.

    Args:
        console: what it prints to.
        gateway: address of the gateway.
        model_server: address of the model server's REST API.
    """

    def __init__(self, console: Console, gateway: str, model_server: str) -> None:
        self._console = console
        self._gateway = gateway
        self._model_server = model_server
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.follow, daemon=True)
        self._models: list[str] = []
        self._available: list[str] = []
        self._failed: dict[str, str] = {}

    def start(self) -> None:
        """Follows the models in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, so that it prints nothing more."""
        self._stopping.set()
        self._thread.join(_SECONDS_TO_STOP)

    def follow(self) -> None:
        """Prints the greeting when the first model answers, and a line when all are loaded."""
        has_greeted = False
        while not self._stopping.is_set():
            self._poll()
            ending = "" if has_greeted else self._first_answer()
            if self._stopping.is_set():  # The calls took longer than `stop` waits.
                return
            if ending:
                self._console.say(self._greeting(ending))
                has_greeted = True
            if has_greeted and self._is_settled():
                self._console.progress("")
                self._console.say(self._summary())
                return
            self._console.progress(self._progress())
            self._stopping.wait(_SECONDS_BETWEEN_POLLS)

    def _first_answer(self) -> str:
        """Returns the end of the line that says that Lectern is ready, or "" while it is not."""
        try:
            _get(f"{self._gateway}/livez")
            if DEMONSTRATION in self._available:
                return f"and sees: {self._predict()}"
        except _NO_ANSWER:
            return ""
        if self._is_settled() or (self._available and DEMONSTRATION not in self._models):
            return f"and serves {self._available[0] if self._available else 'no model yet'}"
        return ""

    def _is_settled(self) -> bool:
        """Returns whether every model is loaded, or cannot be."""
        return 0 < len(self._models) == len(self._available) + len(self._failed)

    def _poll(self) -> None:
        """Reads from the model server which models are available, and which cannot be loaded."""
        try:
            models = _get(f"{self._model_server}/v1/models")["models"]
        except _NO_ANSWER:
            return
        self._models = [model["name"] for model in models]
        self._available = [model["name"] for model in models if "AVAILABLE" in _states(model)]
        self._failed = {
            model["name"]: model["model_version_status"][0]["status"]["error_message"]
            for model in models
            if set(_states(model)) == {"END"}
        }

    def _predict(self) -> str:
        """Returns the demonstration's label of the sample image.

        Raises:
            OSError: the call failed.
        """
        request = urllib.request.Request(
            f"{self._gateway}/v1/models/{DEMONSTRATION}:predict",
            SAMPLE.read_bytes(),
            {"Content-Type": "image/png"},
        )
        return str(_get(request)["predictions"][0]["label"])

    def _progress(self) -> str:
        if not self._models:
            return "starting the services"
        return f"loading: models {len(self._available)}/{len(self._models)}"

    def _greeting(self, ending: str) -> str:
        # Double quotes mean the same to every shell.
        if DEMONSTRATION in self._available:
            command = (
                f'curl -H "Content-Type: image/png" --data-binary "@{_from_here(SAMPLE)}" '
                f'"{self._gateway}/v1/models/{DEMONSTRATION}:predict"'
            )
        else:
            model = self._available[0] if self._available else "MODEL"
            command = f'lectern predict {model} photo.jpg --url "{self._gateway}"'
        rows = {
            "Studio": self._gateway,
            "API": f"{self._gateway}/docs",
            "Try it": command,
            "Models": f"{len(self._available)} of {len(self._models)} are loaded",
            "Logs": self._console.log_path or "on this screen, because of VERBOSE",
            "Stop": "Ctrl-C",
        }
        lines = "\n".join(f"  {name + ':':<8}{value}" for name, value in rows.items())
        return f"Lectern is ready at {self._gateway} {ending}\n{lines}"

    def _summary(self) -> str:
        if not self._failed:
            return f"All {len(self._models)} models are loaded."
        reasons = [f"\n  {name}: {reason}" for name, reason in self._failed.items()]
        return (
            f"{len(self._available)} of {len(self._models)} models are loaded. "
            f"These cannot be loaded:{''.join(reasons)}"
        )


def _states(model: dict[str, Any]) -> Iterable[str]:
    return [version["state"] for version in model["model_version_status"]]


def _get(request: str | urllib.request.Request) -> Any:
    with _open(request, timeout=10) as response:
        return json.load(response)


def _from_here(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
