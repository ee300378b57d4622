#!/usr/bin/env bash
# Gives a Debian machine what the container tests need: Docker with Compose and Buildx, and base images.
# What is there already is used as it is, and images are pulled where a registry can be reached.
set -euo pipefail

SUDO=$([ "$(id -u)" = 0 ] || echo sudo)
PLUGINS=/usr/libexec/docker/cli-plugins
PYTHON_IMAGE=python:3.11-slim-bookworm

say() { echo "prepare: $*" >&2; }

install_docker() {
  command -v dockerd >/dev/null && return
  say "installing Docker from Debian …"
  $SUDO apt-get update -qq
  $SUDO apt-get install -qq --yes docker.io >/dev/null
}

start_docker() {
  docker info >/dev/null 2>&1 && return
  install_docker
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

# The archive that this machine's own packages come from.
debian_mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | sed -n 1p
}

# Debian 12 has neither plugin. Debian 13's are static binaries, so its packages are unpacked, not
# installed, and apt reads its list from a folder of its own.
install_plugins() {
  docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1 && return
  say "fetching the Compose and Buildx plugins …"
  local work
  work=$(mktemp -d)
  mkdir -p "$work/lists/partial" "$work/unpacked"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_mirror) trixie main" \
    >"$work/sources.list"
  local apt=(apt-get -qq -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$work/lists" -o APT::Sandbox::User=root)
  (cd "$work" && "${apt[@]}" update && "${apt[@]}" download docker-compose docker-buildx)
  for package in "$work"/*.deb; do
    dpkg-deb --extract "$package" "$work/unpacked"
  done
  $SUDO mkdir -p "$PLUGINS"
  $SUDO cp "$work/unpacked$PLUGINS"/* "$PLUGINS"
  rm -rf "$work"
}

make_python_image() {
  say "no registry can be reached; making $PYTHON_IMAGE with debootstrap …"
  command -v debootstrap >/dev/null || $SUDO apt-get install -qq --yes debootstrap >/dev/null
  local root
  root=$(mktemp -d)
  $SUDO debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates \
    bookworm "$root" "$(debian_mirror)" >/dev/null
  # Where the way out leads through a proxy with a certificate of its own, builds must trust it too.
  $SUDO cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' | $SUDO tee "$root/etc/pip.conf" >/dev/null
  $SUDO rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* \
    "$root"/usr/share/{doc,info,locale,man}/* # As the official image does.
  $SUDO tar --create --directory "$root" . | docker import - "$PYTHON_IMAGE" >/dev/null
  $SUDO rm -rf "$root"
}

start_docker
install_plugins
docker image inspect "$PYTHON_IMAGE" >/dev/null 2>&1 ||
  docker pull --quiet "$PYTHON_IMAGE" >/dev/null 2>&1 ||
  make_python_image
say "Docker $(docker version --format '{{.Server.Version}}'), Compose $(docker compose version --short) and $PYTHON_IMAGE are ready."
