"""Properties of one request, and the error tree."""
