"""Keys that the HTTP server adds to a request's WSGI environ."""

from __future__ import annotations

ARRIVAL = "lectern.arrival"
"""When the request was complete, by `time.monotonic`."""

REFUSED = "lectern.refused"
"""Present if too many requests wait for a thread already."""
