"""The model server: client, model catalog, readiness, batching, answer cache."""
