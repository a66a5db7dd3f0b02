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
exit $bad
