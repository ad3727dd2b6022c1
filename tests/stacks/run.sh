#!/bin/bash
# run.sh [PYTHON_VERSION [FOLDER]]: tests the stack of a later Python beside the default one. It runs
# the fast tests and `make run` on the later one, then asks the model that each stack pushed in the
# other. Where this machine's glibc is older than 2.39, the later stack lives in a Debian 13 root in
# FOLDER (needs root and debootstrap; 5 GB, kept and used again). A part that ended well is not done
# again for the same commit.
set -euo pipefail
version=${1:-3.13}
folder=$(realpath --canonicalize-missing "${2:-${XDG_CACHE_HOME:-$HOME/.cache}/fewshot-pipeline/stacks}")
root=$folder/root project=$PWD certificates=/etc/ssl/certs/ca-certificates.crt
mkdir -p "$folder"

oldest() { printf '%s\n' "$@" | sort --version-sort | head -n 1; }

make_root() {
  [ -e "$root/.complete" ] && return
  [ "$(id -u)" = 0 ] && command -v debootstrap >/dev/null || {
    echo "This machine's glibc is older than 2.39: a Debian 13 root needs root and debootstrap." >&2
    exit 1
  }
  local mirror
  mirror=$(awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/*.sources 2>/dev/null || true)
  rm -rf --one-file-system "$root"
  debootstrap --variant=minbase --include=python3,python3-venv,python3-dev,g++,make,git,ca-certificates \
    trixie "$root" ${mirror:+"$mirror"} # else the mirror that debootstrap knows
  touch "$root/.complete"
}

# The files that git knows or would take, and how this machine reaches its package index.
copy_in() {
  mkdir -p "$root/project"
  find "$root/project" -mindepth 1 -maxdepth 1 ! -name '.uv' ! -name '.venv*' ! -name runs \
    -exec rm -rf {} +
  git ls-files --cached --others --exclude-standard | while read -r file; do
    [ ! -f "$file" ] || echo "$file"
  done | tar --create --files-from=- | tar --extract --directory "$root/project"
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  [ ! -e $certificates ] || cp $certificates "$root$certificates"
  [ ! -e /etc/pip.conf ] || cp /etc/pip.conf "$root/etc/pip.conf"
}

# The mounts are those of this one command: none is left when it ends.
in_root() {
  unshare --mount --propagation private bash -euc '
    root=$1 data=$2
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    if [ -n "$data" ]; then mkdir -p "$root/data"; mount --bind "$data" "$root/data"; fi
    shift 2
    exec chroot "$root" /usr/bin/env --chdir=/project "$@"' _ "$root" "${TFDS_DATA_DIR:-}" \
    HOME=/root LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin \
    PIP_CERT=$certificates SSL_CERT_FILE=$certificates ${TFDS_DATA_DIR:+TFDS_DATA_DIR=/data} "$@"
}

if [ "$(oldest 2.39 "$(getconf GNU_LIBC_VERSION | cut -d' ' -f2)")" = 2.39 ]; then
  later() { "$@"; }
  there=$project
else
  make_root
  copy_in
  later() { in_root "$@"; }
  there=$root/project
fi

# part NAME COMMAND...: runs a command once for the state of the files.
state=$(git rev-parse HEAD)$(git diff HEAD | cksum | tr ' ' -)
part() {
  local mark=$folder/$1-$version.done
  echo "== $1"
  [ "$(cat "$mark" 2>/dev/null)" != "$state" ] || { echo "done before"; return; }
  "${@:2}"
  echo "$state" >"$mark"
}

# The folder of a run and what it pushed move between the stacks as files.
hand_over() {
  rm -rf "$2"
  mkdir -p "$(dirname "$2")"
  cp -r "$1" "$2"
}
default_run() {
  make PYTHON_VERSION=3.11 run
  .venv/bin/python -m tests.stacks.pushed runs/latest "$folder/of-default"
}
later_run() {
  later make PYTHON_VERSION="$version" run
  later ".venv-$version/bin/python" -m tests.stacks.pushed runs/latest runs/pushed
  hand_over "$there/runs/pushed" "$folder/of-later"
}
default_asks() { FEWSHOT_PUSHED=$folder/of-later .venv/bin/python -m pytest -q tests/stacks; }
later_asks() {
  hand_over "$folder/of-default" "$there/runs/pushed-by-default"
  later env FEWSHOT_PUSHED=runs/pushed-by-default ".venv-$version/bin/python" -m pytest -q tests/stacks
}

part setup later make PYTHON_VERSION="$version" setup
part run_of_later later_run
part run_of_default default_run
part default_asks_later default_asks
part later_asks_default later_asks
part fast_tests later make PYTHON_VERSION="$version" test-fast
