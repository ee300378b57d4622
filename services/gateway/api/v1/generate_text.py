"""The text form of `:generate`: continues prompts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from flask import Response
from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from services.gateway.api.responses import JSON, Model, json_response, model_member, negotiate
from services.gateway.inference.limits import MOST_EXAMPLES
from services.gateway.inference.pipeline import Pipeline
from services.gateway.inference.resolution import ResolvedRequest
from services.gateway.request.errors import InvalidRequest

PLAIN_TEXT = "text/plain"

MAX_PROMPT = 4096
"""Maximum length of a prompt, in characters; a longer one would only cost time, since models use
the last few hundred."""


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


_Prompt = Annotated[str, Field(max_length=MAX_PROMPT)]
_Prompts = Annotated[list[_Prompt], Field(min_length=1, max_length=MOST_EXAMPLES, fail_fast=True)]
Prompts = Annotated[_Prompts, BeforeValidator(_as_list, json_schema_input_type=_Prompt | _Prompts)]
"""One prompt, or a list of them."""


class Continuation(TypedDict):
    """A prompt and the generated text that follows it."""

    seed: int
    prompt: str
    text: str


class Continuations(TypedDict):
    """The answer of `:generate` for a model that continues text."""

    model: Model
    samples: list[Continuation]


def answer_text(
    pipeline: Pipeline,
    resolved: ResolvedRequest,
    prompts: Sequence[str],
    seeds: Sequence[int],
    temperature: float,
) -> Response:
    """Answers a continuation for each prompt and seed, as JSON; a single one also as plain text.

    Raises:
        InvalidRequest: the client asks for plain text, but for several continuations.
        Problem: as `Pipeline.run` raises it.
    """
    media_type = negotiate(JSON, PLAIN_TEXT)
    rows = [(prompt, seed) for prompt in prompts for seed in seeds]
    if media_type == PLAIN_TEXT and len(rows) > 1:
        raise InvalidRequest(
            f"{PLAIN_TEXT} holds one text, received {len(prompts)} prompts and count={len(seeds)}: "
            f"ask for {JSON}"
        )
    inputs = {
        "prompt": np.array([prompt.encode() for prompt, _ in rows], object),
        "seed": np.array([seed for _, seed in rows], np.int64),
        "temperature": np.full(len(rows), temperature, np.float32),
    }
    outputs, version = pipeline.run(resolved.only("text"), inputs)
    texts = [text.decode(errors="replace") for text in outputs["text"]]
    if media_type == PLAIN_TEXT:
        return Response(texts[0], mimetype=PLAIN_TEXT)
    answer: Continuations = {
        "model": model_member(resolved.model, version),
        "samples": [
            {"seed": seed, "prompt": prompt, "text": text}
            for (prompt, seed), text in zip(rows, texts, strict=True)
        ],
    }
    return json_response(answer)
