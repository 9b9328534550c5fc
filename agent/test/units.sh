# Unit tests under the address, undefined-behaviour and thread sanitizers.
. "${0%/*}/common.sh"

# The thread sanitizer wants its memory where a randomised layout may have put something else.
run_unit() {
  "$@" >"$scratch/out" 2>"$scratch/err" && return
  status=$?
  grep -q 'unexpected memory mapping' "$scratch/err" || return $status
  setarch -R "$@" >"$scratch/out" 2>"$scratch/err"
}

for sanitizer in address thread undefined; do
  for program in "$T/$sanitizer"/unit-*; do
    name="${program##*/unit-} ($sanitizer)"
    run_unit "$program" "$name"
    status=$?
    cat "$scratch/out"
    [ -s "$scratch/out" ] || not_ok "$name" "ran no test"
    [ $status -le 1 ] && [ ! -s "$scratch/err" ] || not_ok "$name" "ended with $status: $(head -n 3 "$scratch/err")"
    [ $status = 0 ] || grep -q '^not ok' "$scratch/out" || not_ok "$name" "ended with $status"
  done
done
