#!/bin/sh
# A program as it was built: position independent, its relocations read only, its stack guarded, and its string
# functions checked. By hardening-check (Debian's devscripts) where it is, and by readelf everywhere.
set -eu
program=$1
if ! command -v readelf >/dev/null; then
  echo "SKIPPED: readelf is not here (package binutils)"
  exit 77
fi
bad=0
need() { # what, whether
  if [ "$2" = 0 ]; then echo "good: $1"; else echo "BAD: $1"; bad=1; fi
}
has() { # readelf's options, pattern
  if readelf $1 "$program" 2>/dev/null | grep -q "$2"; then echo 0; else echo 1; fi
}
need "position independent" "$(has '-hW' 'Type: *DYN')"
need "relocations are read only" "$(has '-lW' 'GNU_RELRO')"
need "all of them are made at the start" "$(has '-dW' 'BIND_NOW\|FLAGS_1.*NOW')"
need "the stack is not executable" "$(has '-lW' 'GNU_STACK.*RW ')"
need "the stack is guarded" "$(has '--dyn-syms -W' '__stack_chk_fail')"
need "string functions are checked" "$(has '--dyn-syms -W' '__[a-z]*_chk@')"
# Where jumps may lead (-fcf-protection) the program says only if Debian's own objects in it do, which they don't.
if command -v hardening-check >/dev/null; then
  hardening-check --nocfprotection --nobranchprotection "$program" || bad=1
fi
exit $bad
