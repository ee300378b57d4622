"""Lectern's services: the gateway, the embedded model server and the API between them."""
