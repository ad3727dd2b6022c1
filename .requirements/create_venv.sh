#!/bin/sh
# create_venv.sh UV FOLDER [VERSION]: creates a virtual environment with a Python that the lock is for.
# Python 3.11 comes with TFX 1.16; 3.12 and 3.13 with TFX 1.21, whose wheels for Linux need glibc 2.39.
# Without VERSION it is 3.11, or one of the others where that cannot be had.
uv=$1 folder=$2 version=${3-}
glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed 's/^glibc //')

create() { "$uv" venv --quiet --allow-existing --python "$1" "$folder" 2>&1; }
has_new_glibc() { # no glibc: not Linux
  [ -z "$glibc" ] || [ "$(printf '%s\n' 2.39 "$glibc" | sort -V | head -n 1)" = 2.39 ]
}
fail() { echo "$1" >&2; exit 1; }

case $version in
'') ;;
3.11) create 3.11; exit ;;
3.12 | 3.13)
  has_new_glibc || fail "PYTHON_VERSION=$version: TFX 1.21 needs glibc 2.39 or later, this machine has \
$glibc. Use 3.11 here; \`make test-stacks\` runs the others in a Debian 13 root."
  create "$version"; exit ;;
*) fail "PYTHON_VERSION must be 3.11, 3.12 or 3.13, got \"$version\"." ;;
esac

reason="uv can get no Python 3.11 here"
if [ "$(uname -sm)" = "Darwin arm64" ]; then
  reason="TFX 1.16, for Python 3.11, has no wheels for Apple's processors"
elif said=$(create 3.11); then
  exit
fi
has_new_glibc || fail "$reason, and TFX 1.21, for the later ones, needs glibc 2.39 or later, this machine \
has $glibc. uv says: $said"
for version in 3.13 3.12; do
  said=$(create $version) && echo "$reason: this is Python $version with TFX 1.21." && exit
done
fail "uv can get no Python 3.11, 3.12 or 3.13 here: install one of them. uv says: $said"
