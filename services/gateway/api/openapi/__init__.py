"""The description of the HTTP API (OpenAPI 3.1), made from the routes and their parameters."""
