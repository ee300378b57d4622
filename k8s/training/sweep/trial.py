"""Runs one trial of a sweep, with the Job's completion index as the seed."""

import os
from pathlib import Path

from training.data.fashion_mnist import load_training
from training.fitting.sweep import Sweep, try_one
from training.zoo import find_network

name = os.environ["NETWORK"]
base = find_network(name).recipe(os.environ["PRESET"])
# The folder that `python -m training sweep` uses.
sweep = Sweep(name, base, load_training(None), Path("runs") / f"sweep-{name}")
try_one(sweep, seed=int(os.environ["JOB_COMPLETION_INDEX"]))
