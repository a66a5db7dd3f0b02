#!/bin/sh
# The demo's own folder: nobody can foresee its name, others can't look into it, and nothing of it is left; with --out
# the rows stay.
set -eu
program=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
bad=0
need() { if [ "$2" = 0 ]; then echo "good: $1"; else echo "BAD: $1"; bad=1; fi; }
mkdir "$folder/tmp" "$folder/target"
# Names that somebody may have put in its way.
for name in cvdd-demo cvdd_demo cvdd-demo-0 cvdd-demo-$$; do ln -s "$folder/target" "$folder/tmp/$name"; done
TMPDIR=$folder/tmp "$program" demo --listen "" --interval 1s --bars 3 --quiet > "$folder/log" 2>&1 &
demo=$!
seen=1
while kill -0 $demo 2>/dev/null; do
  for made in "$folder"/tmp/cvdd-demo-??????; do
    if [ -d "$made" ] && [ ! -L "$made" ]; then
      seen=0
      [ "$(stat -c %a "$made" 2>/dev/null || echo 700)" = 700 ] || seen=2
    fi
  done
  sleep 0.2
done
wait $demo && status=0 || status=$?
need "it ends well ($status: $(tail -1 "$folder/log"))" "$status"
need "its folder has a name of its own, and is closed to others" "$seen"
need "nothing of it is left" "$(find "$folder/tmp" -mindepth 1 ! -type l | wc -l)"
need "no link led it elsewhere" "$(find "$folder/target" -mindepth 1 | wc -l)"
"$program" demo --listen "" --interval 1s --bars 3 --quiet --out "$folder/kept" > "$folder/log" 2>&1 || need "with --out" 1
need "with --out its rows stay" "$(ls "$folder"/kept/cvd-*.csv > /dev/null 2>&1 && echo 0 || echo 1)"
need "it says what it counts" "$(grep -q '^# it ends after 3 bars that are whole ' "$folder/log"; echo $?)"
before=$(cksum "$folder"/kept/cvd-*.csv)
"$program" demo --listen "" --interval 1s --bars 1 --quiet --out "$folder/kept" > "$folder/log" 2>&1 && status=0 || status=$?
need "a folder that holds rows is refused, in one line" "$([ $status = 2 ] && [ "$(wc -l < "$folder/log")" = 1 ] && grep -q 'holds rows already' "$folder/log"; echo $?)"
need "… and stays as it was" "$([ "$before" = "$(cksum "$folder"/kept/cvd-*.csv)" ]; echo $?)"
# Cut off again and again, and nothing is fetched: where ids have no order, and nothing is sent again, gaps stay gaps.
"$program" demo --listen "" --interval 2s --bars 2 --quiet --drop-every 3s --no-repair --out "$folder/cut" > "$folder/log" 2>&1 && status=0 || status=$?
need "cut off without repair it ends all the same, and what a row does not have it does not say ($status)" "$(grep -q 'every row equals the tape' "$folder/log"; echo $?)"
of_bybit() { cat "$folder"/cut/cvd-*.csv | awk -F, -v s="$1" '$2 == "bybit" && $6 == s' | wc -l; }
need "--no-repair: what was missed is a gap ($(of_bybit gap)), and stays one ($(of_bybit repaired))" "$([ "$(of_bybit gap)" -gt 0 ] && [ "$(of_bybit repaired)" = 0 ]; echo $?)"
exit $bad
