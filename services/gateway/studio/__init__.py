"""The studio: the page that a browser opens first."""
