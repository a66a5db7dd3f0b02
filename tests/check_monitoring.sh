#!/bin/sh
# check_monitoring.sh FOLDER CVDD: the alert rules with their tests, the dashboard, and a running daemon's metrics against
# both. Skipped, loudly, without promtool.
set -eu
folder=$1 cvdd=$2
for program in promtool python3 curl; do
  command -v "$program" >/dev/null || { echo "SKIPPED: alert rules are not tested, $program is missing" >&2; exit 77; }
done
home=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$home"' EXIT
cd "$folder"
promtool check rules prometheus-rules.yml
promtool test rules prometheus-rules.test.yml
"$cvdd" demo --quiet --out "$home/data" --interval 2s --listen 127.0.0.1:0 >"$home/out" 2>"$home/log" &
pid=$!
url=
for _ in $(seq 100); do
  url=$(sed -n 's/^# the page: //p' "$home/out")
  [ -z "$url" ] || break
  sleep 0.1
done
# Half a minute of trades until the usual gap between them is known.
for _ in $(seq 60); do
  sleep 1
  curl -sf "${url}metrics" >"$home/metrics" || continue
  if grep -q '^cvdd_feed_usual_gap_seconds' "$home/metrics"; then break; fi
done
promtool check metrics <"$home/metrics"
python3 check_dashboard.py grafana-dashboard.json "$home/metrics" --rules prometheus-rules.yml
