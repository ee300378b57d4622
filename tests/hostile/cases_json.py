"""JSON: small values that are odd, and large ones that cost."""

from __future__ import annotations

from collections.abc import Callable

from tests.hostile.engine import Case
from tests.hostile.inputs import (
    JSON_ODDITIES,
    MEGABYTE,
    base64_text,
    keys,
    nested,
    padded,
    repeated,
    text,
)
from tests.hostile.surfaces import (
    ANY_JSON,
    EXAMPLES_JSON,
    PREDICT_JSON,
    JsonSurface,
    document,
)

ANSWERED = frozenset({200, 400, 413})

OF_REST = {"megabytes": 480}
"""What the 10,000,000 values take that `--rest_api_max_json_values` lets through, 40 bytes each, and
the usual; for the gateway it is a fifth, LECTERN_MAX_JSON_VALUES."""


def across(
    surfaces: dict[str, JsonSurface],
    name: str,
    value: Callable[[], bytes],
    *,
    zipped: bool = False,
    **bounds: float,
) -> list[Case]:
    """Return a case for each surface, with a plain or a compressed body."""

    def case(place: str, surface: JsonSurface) -> Case:
        def make() -> list:
            request = surface(value())
            return [request.zipped() if zipped else request]

        usual = OF_REST if place.startswith("REST") else {}
        return Case(f"{place}: {name}", make, ANSWERED, **(usual | bounds))

    return [case(place, surface) for place, surface in surfaces.items()]


def odd(place: str, surface: JsonSurface) -> Case:
    return Case(
        f"{place}: what is odd",
        lambda: [surface(value) for value in JSON_ODDITIES.values()],
        ANSWERED,
    )


THREE = {place: PREDICT_JSON[place] for place in ("gateway, floats", "v2, floats", "REST, floats")}
STRINGS = {
    place: PREDICT_JSON[place] for place in ("gateway, strings", "v2, strings", "REST, strings")
}
LATENT = {"generate": document("/v1/models/vae:generate", b'{"latent":', b"}")}

CASES = [
    *[odd(place, surface) for place, surface in ANY_JSON.items()],
    *across(THREE, "16 MB of one string", lambda: text(16 * MEGABYTE - 200), zipped=True),
    *across(THREE, "16 MB of one string, six at once", lambda: text(16 * MEGABYTE - 200), zipped=True, clients=6, seconds=6),
    *across(THREE, "8 MB of escapes", lambda: text(8 * MEGABYTE, b"\\u0061"), zipped=True),
    *across(THREE, "16 MB of blanks", lambda: padded(16 * MEGABYTE - 200), zipped=True),
    *across(THREE, "660,000 small objects, four at once", lambda: repeated(b'{"a":1}', 660_000), clients=4, seconds=12),
    *across(THREE, "1,000,000 keys", lambda: keys(1_000_000)),
    *across(THREE, "1,900,000 whole numbers", lambda: repeated(b"7", 1_900_000)),
    *across(THREE, "1,900,000 fractions", lambda: repeated(b"1.25", 1_900_000)),
    *across(THREE, "1,900,000 empty lists", lambda: repeated(b"[]", 1_900_000)),
    *across(THREE, "900,000 lists of one", lambda: repeated(b"[1]", 900_000)),
    *across(THREE, "900,000 fractions and a string", lambda: repeated(b"1.25", 900_000)[:-1] + b',"a"]'),
    *across(THREE, "900,000 strings and a number", lambda: repeated(b'"a"', 900_000)[:-1] + b",1]"),
    *across(THREE, "an integer of 4 MB", lambda: b"[" + b"9" * 4 * MEGABYTE + b"]", zipped=True),
    *across(THREE, "a fraction of 4 MB", lambda: b"[0." + b"9" * 4 * MEGABYTE + b"]", zipped=True),
    *across(THREE, "NaN and an integer of 1 MB", lambda: b"[NaN," + b"9" * MEGABYTE + b"]", zipped=True),
    *across(THREE, "lists 4,000,000 deep", lambda: nested(4_000_000), zipped=True),
    *across(THREE, "objects 1,000,000 deep", lambda: nested(1_000_000, b'{"a":', b"}"), zipped=True),
    *across(STRINGS, "16 MB of base64", lambda: base64_text(15 * MEGABYTE), zipped=True),
    *across(STRINGS, "16 MB of no base64", lambda: base64_text(15 * MEGABYTE, b"-"), zipped=True),
    *across(STRINGS, "16 MB of blanks in base64", lambda: base64_text(15 * MEGABYTE, b" "), zipped=True),
    *across(STRINGS, "900,000 strings", lambda: repeated(b'"a"', 900_000)),
    *across(STRINGS, "500,000 of base64", lambda: repeated(b'{"b64":"AA=="}', 500_000)),
    *across(EXAMPLES_JSON, "200,000 examples", lambda: repeated(b'{"x":1.5}', 200_000), seconds=8),
    *across(EXAMPLES_JSON, "40,000 examples", lambda: repeated(b'{"x":1.5}', 40_000), seconds=8),
    *across(EXAMPLES_JSON, "80,000 features", lambda: keys(80_000), seconds=8),
    *across(EXAMPLES_JSON, "300,000 features", lambda: keys(300_000), seconds=8),
    *across(EXAMPLES_JSON, "a feature of 1,900,000 numbers", lambda: b'[{"x":' + repeated(b"1.5", 1_900_000) + b"}]", seconds=8),
    *across(LATENT, "a vector of 1,900,000 numbers", lambda: b"[" + repeated(b"1.5", 1_900_000) + b"]"),
    *across(LATENT, "900,000 vectors of one number", lambda: repeated(b"[1.5]", 900_000)),
]  # fmt: skip
