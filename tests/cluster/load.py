"""Sends predictions and prints the number of answers once per second: `load.py URL IMAGE`.

It runs in a pod with the gateway's image, so it needs only Python.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

SECONDS = 900


def ask(url: str, image: bytes) -> str:
    """Posts the image on a new connection and returns the status, or the error."""
    request = urllib.request.Request(url, image, {"Content-Type": "image/png"})
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return str(answer.status)
    except urllib.error.HTTPError as error:
        return str(error.code)
    except OSError as error:
        return repr(error)


def main(url: str, path: str) -> None:
    """Sends predictions until it is stopped, for at most SECONDS."""
    image = Path(path).read_bytes()
    answers: Counter[str] = Counter()
    end = time.monotonic() + SECONDS
    next_line = time.monotonic() + 1
    while time.monotonic() < end:
        answers[ask(url, image)] += 1
        if time.monotonic() >= next_line:
            sys.stdout.write(json.dumps(answers) + "\n")
            sys.stdout.flush()
            next_line += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
