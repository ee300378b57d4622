#!/usr/bin/env bash
# Builds the images of the local overlay with Docker and loads them into podman: `load_images.sh CONTEXT`, where
# CONTEXT/models is the content of the models image.
set -euo pipefail
cd "$(dirname "$0")/../.."

docker build --quiet --file services/gateway/Dockerfile --tag lectern-gateway:dev . >/dev/null
docker build --quiet --file services/model_server/Dockerfile --tag lectern-model-server:dev . >/dev/null
docker build --quiet --file models/Dockerfile --tag lectern-test-models:dev \
  --build-arg BASE_IMAGE=python:3.11-slim-bookworm "$1" >/dev/null
docker save lectern-gateway:dev lectern-model-server:dev lectern-test-models:dev | podman load --quiet >/dev/null
podman tag lectern-test-models:dev localhost/lectern-models:dev
