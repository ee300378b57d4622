"""The Flask application that people and programs talk to; it never loads TensorFlow."""
