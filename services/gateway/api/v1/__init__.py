"""TensorFlow Serving's REST API with our tasks: one task or concern per file."""

from __future__ import annotations

from services.gateway.api.v1 import (
    activations,
    compress,
    decompress,
    examples,
    generate,
    models,
    predict,
    saliency,
    visualize,
)

ROUTES = tuple(
    module.routes
    for module in (
        models,
        predict,
        examples,
        saliency,
        activations,
        visualize,
        generate,
        compress,
        decompress,
    )
)
