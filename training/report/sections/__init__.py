"""The sections of the report, one per file: measurement, figure and text.

A section is None if the repository has no models for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from training.report.report_data import ReportData
from training.report.sections.calibration import calibration_section
from training.report.sections.confusion import confusion_section
from training.report.sections.course_figures import course_figures_section
from training.report.sections.eckart_young import eckart_young_section
from training.report.sections.feature_visualization import feature_visualization_section
from training.report.sections.optimizers import optimizers_section
from training.report.sections.rate_distortion import rate_distortion_section
from training.report.sections.reconstructions import reconstructions_section
from training.report.sections.saliency import saliency_section
from training.report.sections.samples import samples_section
from training.report.sections.size_curve import size_curve_section

SECTIONS: Sequence[Callable[[ReportData], str | None]] = (
    size_curve_section,
    confusion_section,
    calibration_section,
    saliency_section,
    feature_visualization_section,
    reconstructions_section,
    rate_distortion_section,
    eckart_young_section,
    samples_section,
    optimizers_section,
    course_figures_section,
)
