"""The embedded model server: TensorFlow Serving's protocol over SavedModels, in one process.

The path of a request, each room entered once on the way down:

    grpc_api  rest_api      decode the request, encode the answer
         │        │
         ▼        ▼
    inference.DataPlane     count and time it; warm-up enters here, too
              │
              ▼
    models.ModelManager     lease the version that it asks for
              │
              ▼
    operations              check the inputs against the signature; Predict, Classify, Regress
              │
              ▼
    batching                wait for others to share a run (`--enable_batching`)
              │
              ▼
    servables               check ranks, run TensorFlow

`models` finds the versions on disk, `loading` loads them, `config` reads the text protos, and
`server` puts everything together by the flags.
"""
