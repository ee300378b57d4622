"""TensorFlow Serving's REST JSON.

`parsing` turns a body into a document, with arrays of numbers read by `dense`. `predict` and
`examples` read requests from documents, `values` converts their values to arrays, and `writing`
writes arrays back. `models` writes the status and the metadata of models.
"""
