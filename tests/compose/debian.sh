# Functions for the scripts that prepare a Debian machine; source this file.

SUDO=$([ "$(id -u)" = 0 ] || echo sudo)

say() { echo "prepare: $*" >&2; }

# install_package NAME… installs packages of the machine's release.
install_package() {
  say "installing $* from Debian …"
  $SUDO apt-get update -qq
  $SUDO apt-get install -qq --yes "$@" >/dev/null
}

# Prints the archive from which the machine's packages come.
debian_mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | sed -n 1p
}

# unpack_from_debian13 NAME… unpacks packages and prints the folder, for programs that Debian 12 can run but does not
# package. Nothing is installed, and apt's lists are kept in a separate folder.
unpack_from_debian13() {
  local work
  work=$(mktemp -d)
  mkdir -p "$work/lists/partial" "$work/unpacked"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_mirror) trixie main" \
    >"$work/sources.list"
  local apt=(apt-get -qq -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$work/lists" -o APT::Sandbox::User=root)
  (cd "$work" && "${apt[@]}" update && "${apt[@]}" download "${@/%//trixie}") >&2
  for package in "$work"/*.deb; do
    dpkg-deb --extract "$package" "$work/unpacked"
  done
  echo "$work/unpacked"
}
