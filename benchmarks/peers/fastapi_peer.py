"""FastAPI under uvicorn, the model in its process."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from benchmarks.peers.classifier import Classifier, Images, decode_json, decode_png

classifier = Classifier()
app = FastAPI()


async def answer(images: Images) -> Response:
    content = await run_in_threadpool(classifier.answer, images)
    return Response(content, media_type="application/json")


@app.post("/png")
async def predict_png(request: Request) -> Response:
    return await answer(decode_png(await request.body()))


@app.post("/json")
async def predict_json(request: Request) -> Response:
    return await answer(decode_json(await request.body()))


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), access_log=False)
