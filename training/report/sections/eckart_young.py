"""The section on the linear autoencoder: how near it comes to the best that its rank allows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.evaluation.eckart_young import compare_with_svd, random_matrix
from training.report.markdown import markdown_table
from training.report.reported_model import as_inputs
from training.report.study import Study

NAME = "linear_autoencoder"


def eckart_young_section(study: Study) -> str | None:
    """Compares the linear autoencoder with truncated singular value decompositions."""
    model = study.find(NAME)
    if model is None:
        return None
    rank = model.run("compress", "code", images=as_inputs(study.test.images[:1])).shape[1]
    best = truncated_error(study.test.images.reshape(len(study.test), -1) / 255, rank)
    error = model.measurement.quality
    course = compare_with_svd(random_matrix())
    table = markdown_table(
        ["matrix", "what is missed", "truncated SVD:", "linear autoencoder:", "more:"],
        [
            [
                f"the {len(study.test):,} test images, by `{NAME}`, which has not seen them",
                "mean squared error",
                *_compared(best, error),
            ],
            [
                "the course's 50×50 random numbers, trained on the spot",
                "Frobenius norm",
                *_compared(course.best_error, course.error),
            ],
        ],
    )
    return f"""\
## Eckart and Young, learned

No matrix of rank {rank} is nearer to a matrix than its truncated singular value decomposition
(Eckart and Young 1936). A linear autoencoder with a code of {rank} numbers can find nothing better,
and does find nearly that:

{table}
On the course's matrix both answers are {course.distance:.1e} apart in the Frobenius norm (the
course: 1.07e-02).
"""


def _compared(best: float, error: float) -> list[str]:
    return [f"{best:#.5g}", f"{error:#.5g}", f"{error / best - 1:.2%}"]


def truncated_error(rows: npt.NDArray[np.floating], rank: int) -> float:
    """Returns the least mean squared error with which a matrix of that rank can restore another.

    Args:
        rows: The matrix to restore, [M, N].
        rank: Of the other.
    """
    # The squares of the singular values, smallest first.
    squares = np.linalg.eigvalsh(rows.T @ rows)
    return float(squares[:-rank].sum() / rows.size)
