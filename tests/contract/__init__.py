"""What TensorFlow Serving promises its clients, by the official stubs; see conftest.py."""
