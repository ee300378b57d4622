"""SavedModel export, warm-up requests, the model repository."""
