# Runs the test scripts (all, or those named), passes their lines through, counts them.
: "${T:?}"
here=${0%/*}
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
[ $# -gt 0 ] || set -- symbols units hooks storms faults forks environment

for name; do
  start=$(wc -l <"$lines")
  sh "$here/$name.sh" 2>&1 | tee -a "$lines"
  [ "$(wc -l <"$lines")" -gt "$start" ] || echo "not ok $name: ran no test" | tee -a "$lines"
done
passed=$(grep -c '^ok ' "$lines")
failed=$(grep -c '^not ok ' "$lines")
skipped=$(grep -c '^skip ' "$lines")
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
