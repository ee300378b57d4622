"""Networks of keras.applications, small and with random weights, get every task.

Large graphs take seconds of tracing per signature: all but the smallest network run by
`make test-applications` alone.
"""

from __future__ import annotations

from pathlib import Path

import keras
import pytest

from tests.training.keras_models.test_export import EXPLAINED
from training.keras_models.export import export_keras_model
from training.keras_models.plan import Options
from training.keras_models.reading import Source

SLOW = pytest.mark.applications


@pytest.mark.parametrize(
    ("name", "family", "options"),
    [
        ("MobileNetV2", "mobilenet_v2", {"alpha": 0.35}),
        pytest.param("ResNet50", "resnet", {}, marks=SLOW),
        pytest.param("EfficientNetV2B0", "efficientnet_v2", {}, marks=SLOW),
        pytest.param("ConvNeXtTiny", "convnext", {}, marks=SLOW),
        pytest.param("VGG16", "vgg16", {}, marks=SLOW),
        pytest.param("DenseNet121", "densenet", {}, marks=SLOW),
        pytest.param("NASNetMobile", "nasnet", {}, marks=SLOW),
    ],
)
def test_a_network_gets_every_task_of_its_size(
    name: str, family: str, options: dict[str, float], tmp_path: Path
) -> None:
    keras.utils.set_random_seed(0)
    build = getattr(keras.applications, name)
    model = build(input_shape=(32, 32, 3), weights=None, classes=4, **options)
    path = tmp_path / "network.keras"
    model.save(path)
    loaded = keras.models.load_model(path)
    # Without feature visualization, whose tests have their own networks.
    report = export_keras_model(tmp_path, "m", Source(loaded), Options(pixels=family, visualize=[]))
    assert set(report.signatures) == EXPLAINED | {"saliency_gradcam", "activations"}
    assert report.skipped == {}
    assert report.difference < 1e-4
