"""Flask under gunicorn, the model in each of two workers."""

from __future__ import annotations

import sys
from collections.abc import Callable

from flask import Flask, Response, request
from gunicorn.app.base import BaseApplication

from benchmarks.peers.classifier import Classifier, Images, decode_json, decode_png


class Application(BaseApplication):
    def load_config(self) -> None:
        settings = {"bind": f"127.0.0.1:{sys.argv[1]}", "workers": 2, "threads": 8, "keepalive": 75}
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        app, classifier = Flask(__name__), Classifier()

        def answer(decode: Callable[[bytes], Images]) -> Response:
            content = classifier.answer(decode(request.get_data()))
            return Response(content, mimetype="application/json")

        app.add_url_rule("/png", "png", lambda: answer(decode_png), methods=["POST"])
        app.add_url_rule("/json", "json", lambda: answer(decode_json), methods=["POST"])
        return app


if __name__ == "__main__":
    Application().run()
