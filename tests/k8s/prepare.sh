#!/usr/bin/env bash
# Installs what the tests of the manifests need on Debian: kubectl, promtool, podman and runc.
# Programs that are already installed are left as they are.
set -euo pipefail
source "$(dirname "$0")/../compose/debian.sh"

install_kubectl() {
  say "fetching kubectl …"
  $SUDO cp "$(unpack_from_debian13 kubectl)/usr/bin/kubectl" /usr/local/bin/
}

command -v kubectl >/dev/null || install_kubectl
command -v promtool >/dev/null || install_package --no-install-recommends prometheus
for program in podman runc catatonit; do
  command -v "$program" >/dev/null || install_package --no-install-recommends "$program"
done
