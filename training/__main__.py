"""Runs the command line of the training tools."""

import os

# TensorFlow reads this when it is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from training.cli import main

main()
