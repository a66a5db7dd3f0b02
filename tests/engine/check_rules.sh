#!/bin/sh
# The engine's alert rules by Prometheus' own tool.
set -eu
command -v promtool >/dev/null || { echo "SKIPPED: the engine's alert rules are not tested, promtool is missing" >&2; exit 77; }
cd "$1"
promtool check rules rules.yml
promtool test rules rules.test.yml
