"""WSGI environ keys by which the HTTP server tells the application about a request."""

from __future__ import annotations

ARRIVAL = "lectern.arrival"
"""When the request was complete, by `time.monotonic`."""

REFUSED = "lectern.refused"
"""Present where the server has no thread for the request."""
