"""Training: the loop, optimizers, strategies, resumption."""
