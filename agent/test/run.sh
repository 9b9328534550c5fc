# Runs the test scripts (all, or those named), two at a time, passes their lines through, counts them.
: "${T:?}"
here=${0%/*}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

run() {
  for name; do
    sh "$here/$name.sh" >"$out/$name" 2>&1
    grep -q . "$out/$name" || echo "not ok $name: ran no test" >"$out/$name"
    cat "$out/$name"
  done
}
if [ $# -gt 0 ]; then
  run "$@"
else
  run environment symbols faults &
  run units hooks storms forks
  wait
fi

count() { cat "$out"/* | grep -c "^$1 "; }
passed=$(count ok)
failed=$(count 'not ok')
skipped=$(count skip)
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
