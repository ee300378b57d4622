"""Image and code formats: decodes what clients send, renders what models answer."""
