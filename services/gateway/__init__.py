"""The gateway: an HTTP front for TensorFlow Serving, which never loads TensorFlow.

The path of one request, from the top down and back up:

    process      http_server       receives the whole request, refuses a malformed or too large one,
       │                           then passes it to a thread; limits how many wait for one
       │
    middleware   request_lifecycle creates the RequestContext, which holds the deadline
       │         authentication, rate_limit, cors: where the settings ask for them
       │
    api          routing           finds the view, and the model in the path; of a split, an arm
       │         v1, v2            the view: one task per module; writes the response
       │         body              reads JSON or files, and parameters
       │
    inference    resolution        finds the model, version and signature, once: ResolvedRequest
       │            └─ upstream    catalog: the signatures of the model
       │
    api          image_inputs      converts images to what the signature takes
       │            └─ codecs      decode files into arrays
       │
    inference    black_box         saliency from outside: many predictions per image
       │         pipeline          checks ► answer cache ► limit for expensive signatures
       │
    upstream     batching          shares one call between waiting requests
       │         model_server      gRPC
       ▼
    TensorFlow Serving, or services.model_server

`RequestContext` (`request.context`) and `ResolvedRequest` (`inference.resolution`) are passed down
as arguments: nothing below the API and the middleware asks Flask, or the thread, for the current
request. A test follows one image along this path (tests/services/gateway/test_request_path.py).
"""
