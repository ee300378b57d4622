"""Tasks, limits, cascades, and the pipeline that every call to a model goes through."""
