"""What all tests share."""

from __future__ import annotations

import os

# TensorFlow's greetings would drown what a failed test has to say.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from hypothesis import settings

# On a shared machine a slow example is no failure. The examples are the same in every run, so that
# a test fails for what has changed; tests/hostile searches for new ones (make mutation, make fuzz).
settings.register_profile("lectern", deadline=None, derandomize=True)
settings.load_profile("lectern")
