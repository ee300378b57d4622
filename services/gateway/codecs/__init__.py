"""Image and code formats: decodes the files of clients, renders the outputs of models."""
