"""The report: models/README.md, its figures and the model cards."""
