"""Makes one trial of a sweep, the one that the Job's index names."""

import os
from pathlib import Path

from training.data.fashion_mnist import load_training
from training.fitting.sweep import Sweep, try_one
from training.zoo import find_network

name = os.environ["NETWORK"]
base = find_network(name).recipe(os.environ["PRESET"])
# The folder of `python -m training sweep`.
sweep = Sweep(name, base, load_training(None), Path("runs") / f"sweep-{name}")
try_one(sweep, seed=int(os.environ["JOB_COMPLETION_INDEX"]))
