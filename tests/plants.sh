#!/bin/sh
# Planted defects: nine of a kind that a CVD must not have, each of which the tests that every change runs have to notice.
# tests/plants.patch has them; PLANT=n in the environment wakes one. A copy of the sources is patched and built, or TESTS
# names a folder where that was done already. Prints which tests noticed each; fails if one went unnoticed.
#   ./dev plants [TESTS]
set -eu
cd "$(dirname "$0")/.."
if [ $# -gt 0 ]; then
  tests=$1
else
  copy=build/plants
  rm -rf "$copy/source"
  mkdir -p "$copy/source"
  git ls-files -z | xargs -0 cp --parents -t "$copy/source"
  (cd "$copy/source" && GIT_CEILING_DIRECTORIES=$PWD/.. git apply tests/plants.patch)
  cmake -S "$copy/source" -B "$copy/build" -G Ninja -DCMAKE_BUILD_TYPE=Release >&2
  cmake --build "$copy/build" --target cvdd_unit_tests cvdd_sim_test >&2
  tests=$copy/build/tests
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT

what() {
  case $1 in
    0) echo "nothing is planted" ;;
    1) echo "the first trade after a reconnect is dropped" ;;
    2) echo "the last trade of a page of history counts twice" ;;
    3) echo "Coinbase's sides are the wrong way round" ;;
    4) echo "a trade at the very start of a bar falls into the one before" ;;
    5) echo "a row that can't be read leaves no mark" ;;
    6) echo "a pong vouches for a connection that has fallen silent" ;;
    7) echo "the exchange's time page is believed, whatever trades say" ;;
    8) echo "the last row of a torn batch is not completed" ;;
    9) echo "history's sides are the wrong way round" ;;
  esac
}
# Which of them fail, in words; empty: none.
noticed() { # plant
  by=
  PLANT=$1 "$tests/cvdd_unit_tests" >"$log" 2>&1 ||
    by="unit ($(grep -o 'tests/unit/test_[a-z_]*' "$log" | sort -u | sed 's,.*/,,' | tr '\n' ' ' | sed 's/ $//'))"
  for sim in "--seed 1 --hours 6" "--everywhere --instruments 32 --seed 1 --hours 3" "--kills 60" "--episodes"; do
    # shellcheck disable=SC2086
    PLANT=$1 "$tests/cvdd_sim_test" $sim >"$log" 2>&1 || by="${by:+$by, }sim $sim"
  done
  echo "$by"
}

bad=0
for plant in 0 1 2 3 4 5 6 7 8 9; do
  by=$(noticed $plant)
  echo "$plant: $(what $plant): ${by:-unnoticed}"
  if [ $plant = 0 ]; then [ -z "$by" ] || bad=1; else [ -n "$by" ] || bad=1; fi
done
exit $bad
