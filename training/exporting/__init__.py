"""Export: SavedModels, warm-up requests, the model repository, and restored weights."""
