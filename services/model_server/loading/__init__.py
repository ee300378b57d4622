"""Loading and warm-up of one version."""
