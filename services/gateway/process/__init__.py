"""The HTTP server: configuration, worker, start-up, tracing set-up."""
