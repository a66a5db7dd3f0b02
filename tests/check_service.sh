#!/bin/sh
# The unit file as systemd reads it: no complaint, and an exposure below 2.0.
set -eu
unit=$1
if ! command -v systemd-analyze >/dev/null; then
  echo "SKIPPED: systemd-analyze is not here, so the unit file is not checked (package systemd)"
  exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The binary and the manual may not be installed here; everything else is checked as it is.
name=$(basename "$unit")
sed -e 's|^ExecStart=/usr/bin/cvdd[a-z-]*|ExecStart=/bin/true|' -e '/^Documentation=/d' "$unit" > "$folder/$name"
complaints=$(systemd-analyze verify "$folder/$name" 2>&1 || true)
if [ -n "$complaints" ]; then
  echo "systemd-analyze verify: $complaints"
  exit 1
fi
line=$(systemd-analyze security --offline=true "$folder/$name" | grep 'Overall exposure level')
echo "$line"
level=$(echo "$line" | sed 's/.*: \([0-9.]*\).*/\1/')
awk "BEGIN { exit !($level < 2.0) }"
