"""The embedded model server: TensorFlow Serving's protocol over SavedModels, in one process.

`core` finds, loads, holds and runs models and knows of no network; `grpc_api` and `rest_api` are
thin shells over it; `server` puts them together.
"""
