"""The gateway: an HTTP front for TensorFlow Serving, which never loads TensorFlow.

The way of one request, from the top down and back up:

    process      HTTP server       receives it whole, hands it to a thread
       │
    middleware   edge              begins its RequestContext, refuses what is too much
       │         authentication, rate limit, CORS: where the settings ask for them
       │
    api          routing           the view, and the model that the path names
       │         v1, v2            the view: one task per module; writes the response
       │         body              JSON or files, and parameters
       │
    inference    resolution        what it asks for, found once: ResolvedRequest
       │            └─ upstream    catalog: what the model can do
       │
    api          image_inputs      images as the signature takes them
       │            └─ codecs      files to arrays
       │
    inference    pipeline          checks ► answer cache ► limit for expensive signatures
       │
    upstream     batching          shares a call with the requests that wait
       │         model_server      gRPC
       ▼
    TensorFlow Serving, or services.model_server

`RequestContext` (`request.context`) and `ResolvedRequest` (`inference.resolution`) are handed down
as arguments: nothing below the API and the middleware asks Flask, or the thread, for the current
request. A test follows the way of one image (tests/services/gateway/test_way_of_a_request.py).
"""
