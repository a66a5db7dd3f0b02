#!/bin/sh
# check_apart.sh CVDD ENGINE: the collector links no client of a database or broker; the engine, which has them, shows that one would be seen.
set -eu
clients='libpq|libnats|libsqlite3'
command -v ldd >/dev/null || { echo "SKIPPED: what the collector links is not looked at, ldd is missing" >&2; exit 77; }
linked() { ldd "$1" | grep -E "$clients" || true; }
[ -n "$(linked "$2")" ] || { echo "SKIPPED: $2 was built without them" >&2; exit 77; }
found=$(linked "$1")
[ -z "$found" ] || { echo "$1 links $found" >&2; exit 1; }
