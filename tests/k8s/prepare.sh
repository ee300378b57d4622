#!/usr/bin/env bash
# Gives a Debian machine what the tests of the manifests need: kubectl, promtool, podman.
# What is there already is used as it is.
set -euo pipefail
source "$(dirname "$0")/../compose/debian.sh"

install_kubectl() {
  say "fetching kubectl …"
  $SUDO cp "$(unpack_from_debian13 kubectl)/usr/bin/kubectl" /usr/local/bin/
}

command -v kubectl >/dev/null || install_kubectl
command -v promtool >/dev/null || install_package --no-install-recommends prometheus
command -v podman >/dev/null && command -v catatonit >/dev/null ||
  install_package --no-install-recommends podman catatonit
