"""Load generators, the benchmark with its peers, the soak test, and the queueing model."""
