# SPDX-License-Identifier: Apache-2.0
# What the scripts and the Makefile share. Sourced, never run.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${POINTSMAN_CACHE:-${HOME:?set HOME or POINTSMAN_CACHE}/.cache/pointsman}

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }

# fail MESSAGE: ends with one sentence.
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

need_root() { [ "$(id -u)" = 0 ] || fail "$1 needs root: run it with sudo"; }

# java_release HOME: the feature release of the JDK there, 0 if there is none.
java_release() {
  local version=
  if [ -x "$1/bin/javac" ] && [ -r "$1/release" ]; then
    version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release")
  fi
  echo "${version:-0}"
}

# find_jdk: prints the JDK to use (25 or newer), or nothing.
find_jdk() {
  local best=25 found='' home release
  if [ -n "${JAVA_HOME:-}" ] && [ "$(java_release "$JAVA_HOME")" -ge 25 ]; then
    echo "$JAVA_HOME"
    return
  fi
  for home in /usr/lib/jvm/* "${SDKMAN_DIR:-$HOME/.sdkman}"/candidates/java/*; do
    [ -d "$home" ] && [ ! -L "$home" ] || continue
    release=$(java_release "$home")
    if [ "$release" -ge "$best" ]; then
      best=$release found=$home
    fi
  done
  echo "$found"
}

use_jdk() {
  JAVA_HOME=$(find_jdk)
  [ -n "$JAVA_HOME" ] || fail "no JDK 25 or newer is installed: run 'make deps', or install one and set JAVA_HOME"
  export JAVA_HOME PATH="$JAVA_HOME/bin:$PATH"
}

# go_at_least MINOR: whether Go 1.MINOR or newer is there.
go_at_least() {
  local version
  version=$(go env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  [ -n "$version" ] && [ "$version" -ge "$1" ]
}

# use_go: finds Go also where Debian keeps a newer one than `go`, and lets it fetch the toolchain
# that a go.mod asks for.
use_go() {
  local folder
  for folder in /usr/local/go/bin /usr/lib/go-1.*/bin; do
    go_at_least 21 && break
    [ -x "$folder/go" ] && PATH="$folder:$PATH"
  done
  go_at_least 21 || fail "Go 1.21 or newer is needed: run 'make deps'"
  export PATH GOTOOLCHAIN=${POINTSMAN_GOTOOLCHAIN:-auto} GOFLAGS=-buildvcs=false GOWORK=off
}

# maven ARGUMENT...: the wrapper where the project has one, else the distribution's Maven.
maven() {
  use_jdk
  if [ -x "$root/mvnw" ]; then
    "$root/mvnw" -f "$root/pom.xml" "$@"
  else
    mvn -f "$root/pom.xml" "$@"
  fi
}

# debian_mirror: the mirror that this machine's own apt sources name.
debian_mirror() {
  local mirror
  mirror=$(apt-get indextargets --format '$(SITE) $(ORIGIN)' 'Created-By: Packages' 2>/dev/null |
    awk '$2 == "Debian" {print $1; exit}')
  [ -n "$mirror" ] || mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
    sed -n -e 's/^URIs: *\([^ ]*debian\)\/* *$/\1/p' -e 's/^deb \(\[[^]]*\] \)*\([^ ]*debian\)\/* .*/\2/p' | head -n 1)
  [ -n "$mirror" ] || fail "no Debian mirror is named in /etc/apt: add one to sources.list"
  echo "$mirror"
}
