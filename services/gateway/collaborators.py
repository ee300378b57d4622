"""The parts of one application, which every view gets as an argument."""

from __future__ import annotations

from dataclasses import dataclass

from services.gateway.cascade_setting import Cascade, parse_cascade
from services.gateway.inference.limits import ExpensiveCalls
from services.gateway.inference.pipeline import Pipeline
from services.gateway.inference.resolution import Resolver
from services.gateway.settings import Settings
from services.gateway.upstream.answer_cache import AnswerCache
from services.gateway.upstream.batching import Batcher
from services.gateway.upstream.catalog import Catalog
from services.gateway.upstream.model_names import ModelNames
from services.gateway.upstream.model_server import ModelServer
from services.gateway.upstream.readiness import Readiness


@dataclass(frozen=True)
class Gateway:
    """The parts of one application.

    Attributes:
        settings: every setting.
        model_names: the models that it is to serve.
        cascades: the cascades that it is to serve.
        model_server: tells the states of the models, and runs what is no signature.
        catalog: what the models can do.
        readiness: whether they can answer.
        resolver: finds what a request asks for.
        pipeline: runs it.
        batcher: shares calls, within the pipeline.
    """

    settings: Settings
    model_names: ModelNames
    cascades: tuple[Cascade, ...]
    model_server: ModelServer
    catalog: Catalog
    readiness: Readiness
    resolver: Resolver
    batcher: Batcher
    pipeline: Pipeline


def make_gateway(settings: Settings, model_server: ModelServer) -> Gateway:
    """Make the parts of an application.

    Raises:
        SetupError: the file that names the models cannot be used.
    """
    names = ModelNames(settings)
    cascades = tuple(map(parse_cascade, settings.cascades))
    catalog = Catalog(model_server, names)
    batcher = Batcher(
        model_server,
        max_rows=settings.max_batch_rows if settings.upstream_batching else 1,
        max_calls=settings.max_batch_calls,
    )
    return Gateway(
        settings=settings,
        model_names=names,
        cascades=cascades,
        model_server=model_server,
        catalog=catalog,
        readiness=Readiness(model_server, names),
        resolver=Resolver(catalog, {cascade.name: cascade for cascade in cascades}),
        batcher=batcher,
        pipeline=Pipeline(
            catalog,
            batcher,
            AnswerCache(settings.cache_bytes) if settings.cache_bytes else None,
            ExpensiveCalls(settings.threads, settings.max_expensive_calls),
            settings.max_answer_numbers,
        ),
    )
