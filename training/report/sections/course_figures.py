"""The section with small figures of the course that need no model of the repository."""

from __future__ import annotations

from training.evaluation.approximation import draw_approximation
from training.evaluation.curves import draw_curves
from training.report.report_data import ReportData

_TEXT = """\
## Approximation by one hidden layer

![Two functions and their approximations]({approximation})

One hidden layer of enough units approximates a function as closely as wanted
([Cybenko 1989](https://doi.org/10.1007/BF02551274)), a smooth function with far fewer than one with
jumps. The hidden ReLU units bend at evenly spaced places; the output weights are the least-squares
solution. `python -m training figure approximation` draws this figure alone.

## Activations and losses

![Activation functions and losses]({curves})

As Keras computes them. `python -m training figure curves` draws this figure alone.
"""
_DEEP_NETWORKS = """
## Initialization, activation and normalization

![Gradients and training losses of deep networks](figures/deep_networks.png)

Deep dense networks on Fashion-MNIST, which differ only in what the legend names. Left: in the plain
network the gradient vanishes on its way to the first layers, and with small weights it is tiny in
all of them; He's initialization and batch normalization keep its size. Right: how fast each network
learns.
`python -m training figure deep-networks` trains the networks and draws this figure.
"""


def course_figures_section(data: ReportData) -> str:
    """Returns the figures; that of the deep networks only if its command has drawn it."""
    figures = data.folder / "figures"
    drawn = {
        "approximation": draw_approximation(figures / "approximation.png"),
        "curves": draw_curves(figures / "curves.png"),
    }
    links = {name: str(path.relative_to(data.folder)) for name, path in drawn.items()}
    has_deep_networks = (figures / "deep_networks.png").exists()
    return _TEXT.format(**links) + (_DEEP_NETWORKS if has_deep_networks else "")
