"""Operations that TensorFlow itself does not have, from the packages of the extra `ops`."""

from __future__ import annotations

import importlib
import importlib.util
import re
import time

import structlog

_TEXT = (
    r"TFText>\w+|Sentencepiece\w+|\w*Tokenize\w*|TokenizerFromLogits|CaseFoldUTF8|NormalizeUTF8\w*"
    r"|ConstrainedSequence|FastBertNormalize|FindSourceOffsets|MaxSpanningTree|RegexSplitWithOffsets"
    r"|RougeL|SentenceFragments\w*"
)
_FOREST = r"SimpleML\w+"

_PACKAGES = {"tensorflow_text": ("tensorflow-text", _TEXT), "ydf_tf": ("ydf-tf", _FOREST)}
"""By module: the package's name, and a pattern of the operations that it registers."""

_UNREGISTERED = re.compile(r"Op type not registered '([^']+)'")

_log = structlog.get_logger(__name__)


def register_ops() -> list[str]:
    """Imports the packages with operations that are installed; returns the names of these."""
    registered = []
    for module, (package, _) in _PACKAGES.items():
        if importlib.util.find_spec(module) is None:
            continue
        start = time.perf_counter()
        try:
            importlib.import_module(module)
        except Exception as error:
            # Built for another TensorFlow, for example: models without its operations still load.
            _log.warning("operations not registered", package=package, error=repr(error))
        else:
            seconds = round(time.perf_counter() - start, 3)
            _log.info("operations registered", package=package, seconds=seconds)
            registered.append(package)
    return registered


def explain_unregistered(message: str) -> str | None:
    """Returns what to install where TensorFlow's error is an unregistered operation, else None."""
    if not (match := _UNREGISTERED.search(message)):
        return None
    operation = match[1]
    for package, pattern in _PACKAGES.values():
        if re.fullmatch(pattern, operation):
            return (
                f"its operation {operation} is one of the package {package}, which is not "
                "installed here: pip install 'lectern[ops]', then start the server again"
            )
    return (
        f"its operation {operation} is none of TensorFlow's. The server can register those of "
        f"{' and '.join(package for package, _ in _PACKAGES.values())}: pip install 'lectern[ops]'"
    )
