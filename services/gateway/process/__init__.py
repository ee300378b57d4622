"""The HTTP server: listener, worker, start-up and tracing."""
