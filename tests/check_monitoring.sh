#!/bin/sh
# check_monitoring.sh FOLDER CVDD: the alert rules with their tests; the dashboard against a running daemon's metrics; and a
# real Prometheus that scrapes it: when the simulated exchanges fall mute, the alert must fire within a minute.
# Skipped, loudly, where Prometheus is missing.
set -eu
folder=$1 cvdd=$2
for program in promtool prometheus python3 curl; do
  command -v "$program" >/dev/null || { echo "SKIPPED: alert rules are not tested, $program is missing" >&2; exit 77; }
done
home=$(mktemp -d)
daemon= prometheus=
trap 'for p in $daemon $prometheus; do kill "$p" 2>/dev/null || true; done; wait; rm -rf "$home"' EXIT
cd "$folder"
promtool check rules prometheus-rules.yml
promtool test rules prometheus-rules.test.yml

mute_after=45
"$cvdd" demo --quiet --out "$home/data" --interval 2s --listen 127.0.0.1:0 --mute-after ${mute_after}s >"$home/out" 2>"$home/log" &
daemon=$!
begun=$(date +%s)
url=
for _ in $(seq 100); do
  url=$(sed -n 's/^# the page: //p' "$home/out")
  [ -z "$url" ] || break
  sleep 0.1
done
port=$((20000 + $$ % 10000))
cat >"$home/prometheus.yml" <<YML
global: {scrape_interval: 5s, evaluation_interval: 5s}
rule_files: ["$PWD/prometheus-rules.yml"]
scrape_configs:
  - job_name: cvdd
    static_configs: [{targets: ["$(echo "$url" | sed 's|http://||; s|/$||')"]}]
YML
prometheus --config.file="$home/prometheus.yml" --storage.tsdb.path="$home/tsdb" \
  --web.listen-address=127.0.0.1:$port --log.level=error >"$home/prometheus.log" 2>&1 &
prometheus=$!

# Half a minute of trades until the usual gap between them is known.
for _ in $(seq 60); do
  sleep 1
  curl -sf "${url}metrics" >"$home/metrics" || continue
  if grep -q '^cvdd_feed_usual_gap_seconds' "$home/metrics"; then break; fi
done
promtool check metrics <"$home/metrics"
python3 check_dashboard.py grafana-dashboard.json "$home/metrics" --rules prometheus-rules.yml

while [ $(($(date +%s) - begun)) -lt $((mute_after + 60)) ]; do
  if curl -sf "http://127.0.0.1:$port/api/v1/alerts" >"$home/alerts" &&
     python3 - "$home/alerts" <<'PY'
import json, sys
alerts = json.load(open(sys.argv[1]))["data"]["alerts"]
sys.exit(0 if any(a["labels"]["alertname"] == "CvddMuteFeed" and a["state"] == "firing" for a in alerts) else 1)
PY
  then
    echo "the mute-feed alert fires $(($(date +%s) - begun - mute_after)) s after the exchanges fell mute"
    # All other rules were evaluated on what the daemon told.
    curl -sf "http://127.0.0.1:$port/api/v1/rules" >"$home/rules"
    python3 - "$home/rules" <<'PY'
import json, sys
rules = [r for g in json.load(open(sys.argv[1]))["data"]["groups"] for r in g["rules"]]
bad = [f'{r["name"]}: {r["health"]} {r.get("lastError", "")}' for r in rules if r["health"] != "ok"]
print(f"{len(rules)} rules evaluated, {len(bad)} with errors")
sys.exit("\n".join(bad) if bad or len(rules) < 10 else 0)
PY
    exit 0
  fi
  sleep 1
done
echo "the mute-feed alert does not fire within a minute:" >&2
cat "$home/alerts" "$home/prometheus.log" >&2
exit 1
