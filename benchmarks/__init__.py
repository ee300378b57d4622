"""Load generators, the benchmark, the soak test, the queueing model."""
