"""The section on the linear autoencoder and the best approximation of its rank."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.evaluation.eckart_young import compare_with_svd, random_matrix
from training.report.markdown import markdown_table
from training.report.report_data import ReportData
from training.report.reported_model import as_inputs

NAME = "linear_autoencoder"


def eckart_young_section(data: ReportData) -> str | None:
    """Returns a comparison of the linear autoencoder with truncated SVDs."""
    model = data.find(NAME)
    if model is None:
        return None
    rank = model.run("compress", "code", images=as_inputs(data.test.images[:1])).shape[1]
    best = truncated_error(data.test.images.reshape(len(data.test), -1) / 255, rank)
    error = model.measurement.quality
    course = compare_with_svd(random_matrix())
    table = markdown_table(
        ["matrix", "error", "truncated SVD:", "linear autoencoder:", "difference:"],
        [
            [
                f"the {len(data.test):,} test images, not used to train `{NAME}`",
                "mean squared error",
                *_compared(best, error),
            ],
            [
                "the course's 50×50 random numbers, trained for this report",
                "Frobenius norm",
                *_compared(course.best_error, course.error),
            ],
        ],
    )
    return f"""\
## The linear autoencoder and the SVD

The best approximation of rank {rank} of a matrix is its truncated singular value decomposition
(Eckart and Young 1936). A linear autoencoder with a code of {rank} numbers cannot do better, and
comes close:

{table}
On the course's matrix, the Frobenius norm of the difference between both approximations is
{course.distance:.1e} (1.07e-02 in the course).
"""


def _compared(best: float, error: float) -> list[str]:
    return [f"{best:#.5g}", f"{error:#.5g}", f"{error / best - 1:.2%}"]


def truncated_error(rows: npt.NDArray[np.floating], rank: int) -> float:
    """Returns the mean squared error of the best approximation of a matrix.

    Args:
        rows: The matrix, [M, N].
        rank: Rank of the approximation.
    """
    # The squares of the singular values, smallest first.
    squares = np.linalg.eigvalsh(rows.T @ rows)
    return float(squares[:-rank].sum() / rows.size)
