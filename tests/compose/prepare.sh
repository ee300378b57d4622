#!/usr/bin/env bash
# Installs what the container tests need on Debian: Docker with Compose and Buildx, and base images.
# Programs that are already installed are left as they are; images are pulled if a registry can be reached.
set -euo pipefail
source "$(dirname "$0")/debian.sh"

PLUGINS=/usr/libexec/docker/cli-plugins
PYTHON_IMAGE=python:3.11-slim-bookworm

start_docker() {
  docker info >/dev/null 2>&1 && return
  command -v dockerd >/dev/null || install_package docker.io
  docker info >/dev/null 2>&1 && return # The package may have started it.
  say "starting dockerd …"
  $SUDO bash -c 'exec setsid dockerd >/var/log/dockerd.log 2>&1 </dev/null &'
  for _ in $(seq 60); do
    docker info >/dev/null 2>&1 && return
    sleep 1
  done
  say "dockerd did not start within a minute; the end of its log:"
  tail -n 20 /var/log/dockerd.log >&2
  exit 1
}

# Debian 12 packages neither plugin.
install_plugins() {
  docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1 && return
  say "fetching the Compose and Buildx plugins …"
  local unpacked
  unpacked=$(unpack_from_debian13 docker-compose docker-buildx)
  $SUDO mkdir -p "$PLUGINS"
  $SUDO cp "$unpacked$PLUGINS"/* "$PLUGINS"
}

make_python_image() {
  say "no registry can be reached; making $PYTHON_IMAGE with debootstrap …"
  command -v debootstrap >/dev/null || install_package debootstrap
  local root
  root=$(mktemp -d)
  $SUDO debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates \
    bookworm "$root" "$(debian_mirror)" >/dev/null
  # Builds must trust the certificate of a proxy as well, if the machine is behind one.
  $SUDO cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' | $SUDO tee "$root/etc/pip.conf" >/dev/null
  $SUDO rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* \
    "$root"/usr/share/{doc,info,locale,man}/* # As in the official image.
  $SUDO tar --create --directory "$root" . | docker import - "$PYTHON_IMAGE" >/dev/null
  $SUDO rm -rf "$root"
}

start_docker
install_plugins
docker image inspect "$PYTHON_IMAGE" >/dev/null 2>&1 ||
  docker pull --quiet "$PYTHON_IMAGE" >/dev/null 2>&1 ||
  make_python_image
say "Docker $(docker version --format '{{.Server.Version}}'), Compose $(docker compose version --short) and $PYTHON_IMAGE are ready."
