"""The report on all models: models/README.md, its figures and the model cards."""
