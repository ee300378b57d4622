"""The progress bar of the report."""

from __future__ import annotations

from rich.console import Console
from rich.progress import Progress


def progress_on(console: Console) -> Progress:
    """Makes a progress bar that leaves nothing behind, and shows nothing where nobody watches."""
    return Progress(console=console, transient=True, disable=not console.is_interactive)
