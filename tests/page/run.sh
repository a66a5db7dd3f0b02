#!/bin/sh
# run.sh CVDD FOLDER: the page in headless Chromium against a demo. Skipped, loudly, where Chromium or npm is missing.
set -eu
cvdd=$1 folder=$2
here=$(cd "$(dirname "$0")" && pwd)
for program in node npm chromium; do
  command -v "$program" >/dev/null || { echo "SKIPPED: the page is not tested, $program is missing" >&2; exit 77; }
done
mkdir -p "$folder"
cp "$here/package.json" "$here/package-lock.json" "$folder"
(cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null)
exec node "$here/page_test.mjs" --cvdd "$cvdd" --modules "$folder" --shots "$folder/shots"
