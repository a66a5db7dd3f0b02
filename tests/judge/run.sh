#!/bin/sh
# run.sh ARGUMENTS…: the judge. Skipped, loudly, where python3 or openssl is missing.
set -eu
for program in python3 openssl; do
  command -v "$program" >/dev/null || { echo "SKIPPED: the daemon is not judged, $program is missing" >&2; exit 77; }
done
exec python3 "$(dirname "$0")/judge.py" "$@"
