"""Training: optimizers, learning-rate schedules, distillation, distribution, sweeps."""
