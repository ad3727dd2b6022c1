#!/bin/sh
# base_images.sh python:3.11-slim|python:3.11
# A stand-in for an image, where no registry of images can be reached: Debian's own packages, from the
# mirror and with the certificates that this machine uses.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
root=$folder/root
mirror=$(awk '/^URIs:/ {uri = $2} /^Suites:.* ?bookworm( |$)/ {print uri; exit}' /etc/apt/sources.list.d/*.sources)
certificates=/etc/ssl/certs/ca-certificates.crt
packages=python3,python3-pip,python3-venv,ca-certificates
[ "$1" = python:3.11 ] && packages=$packages,g++,python3-dev

debootstrap --variant=minbase --include=$packages bookworm "$root" "$mirror"
for name in python python3 python3.11; do ln -sf /usr/bin/python3 "$root/usr/local/bin/$name"; done
ln -sf /usr/bin/pip3 "$root/usr/local/bin/pip"
rm -f "$root"/usr/lib/python3*/EXTERNALLY-MANAGED
cp "$certificates" "$root$certificates"
tar -C "$root" -c . | podman import \
  --change "ENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" \
  --change "ENV PIP_CERT=$certificates" --change "ENV SSL_CERT_FILE=$certificates" - "$1"
