"""The operating system under the services: the C library's memory, and sockets."""
