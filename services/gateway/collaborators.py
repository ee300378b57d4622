"""The components of one application, which every view gets as an argument."""

from __future__ import annotations

from dataclasses import dataclass

from services.gateway.cascade_setting import Cascade, parse_cascade
from services.gateway.inference.limits import ExpensiveCalls
from services.gateway.inference.pipeline import Pipeline
from services.gateway.inference.resolution import Resolver
from services.gateway.inference.shadow import Shadows
from services.gateway.inference.splits import Splits
from services.gateway.settings import Settings
from services.gateway.upstream.answer_cache import AnswerCache
from services.gateway.upstream.batching import Batcher
from services.gateway.upstream.catalog import Catalog
from services.gateway.upstream.model_names import ModelNames
from services.gateway.upstream.model_server import ModelServer
from services.gateway.upstream.readiness import Readiness

_SHARE_THAT_IS_LOAD = 4
"""Calls are not mirrored while more than a quarter of the threads wait for the model server."""


@dataclass(frozen=True)
class Gateway:
    """The components of one application.

    Attributes:
        settings: the settings.
        model_names: names of the models to serve.
        cascades: the cascades to serve.
        splits: the splits to serve; None without a splits file.
        model_server: client of the model server; views call it for the states of models, and for
            classify and regress.
        catalog: signatures and classes of the models.
        readiness: whether the models can answer.
        resolver: finds the model, version and signature that a request asks for.
        pipeline: runs a resolved request.
        batcher: shares calls between requests; part of the pipeline.
    """

    settings: Settings
    model_names: ModelNames
    cascades: tuple[Cascade, ...]
    splits: Splits | None
    model_server: ModelServer
    catalog: Catalog
    readiness: Readiness
    resolver: Resolver
    batcher: Batcher
    pipeline: Pipeline


def make_gateway(settings: Settings, model_server: ModelServer) -> Gateway:
    """Returns the components of an application.

    Raises:
        SetupError: the model config file or the splits file cannot be used.
    """
    names = ModelNames(settings)
    cascades = {each.name: each for each in map(parse_cascade, settings.cascades)}
    catalog = Catalog(model_server, names)
    batcher = Batcher(
        model_server,
        max_rows=settings.max_batch_rows if settings.upstream_batching else 1,
        max_calls=settings.max_batch_calls,
    )
    resolver = Resolver(catalog, cascades)
    shadows = Shadows(
        resolver,
        model_server,
        settings.max_shadow_calls,
        is_loaded=lambda: batcher.waiting_requests > settings.threads // _SHARE_THAT_IS_LOAD,
    )
    return Gateway(
        settings=settings,
        model_names=names,
        cascades=tuple(cascades.values()),
        splits=Splits(settings.splits_file, names, cascades) if settings.splits_file else None,
        model_server=model_server,
        catalog=catalog,
        readiness=Readiness(model_server, names),
        resolver=resolver,
        batcher=batcher,
        pipeline=Pipeline(
            catalog,
            batcher,
            AnswerCache(settings.cache_bytes) if settings.cache_bytes else None,
            ExpensiveCalls(settings.threads, settings.max_expensive_calls),
            settings.max_answer_numbers,
            shadows.observe,
        ),
    )
