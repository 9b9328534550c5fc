# Functions of the test scripts. Each script gets the folder of built test programs as $T, owns a segment
# directory and prints one line a test: "ok NAME", "not ok NAME: why", "skip NAME: why".
set -u
: "${T:?}"
LIBRARIES=/usr/lib/$(uname -m)-linux-gnu
scratch=$(mktemp -d /dev/shm/edleak-test-XXXXXX)
chmod 711 "$scratch"
way=$(mktemp -d)
trap 'rm -rf "$scratch" "$way"' EXIT
# The loader splits LD_PRELOAD at spaces and colons: then the folder gets a name without.
case $T in *[\ :]*) ln -s "$T" "$way/programs" && T=$way/programs ;; esac
AGENT=${AGENT:-$T/../libedleak.so}
EDLEAK_DIR=$scratch/segments
EDLEAK_KEEP=1
export EDLEAK_DIR EDLEAK_KEEP
unset EDLEAK_RUN LD_PRELOAD
mkdir -m 700 "$EDLEAK_DIR"

ok() { printf 'ok %s\n' "$1"; }
not_ok() { printf 'not ok %s: %s\n' "$1" "$(printf %s "$2" | tr '\n' ' ' | cut -c 1-300)"; }
skip() { printf 'skip %s: %s\n' "$1" "$2"; }

# with PRELOAD COMMAND...: runs it with the agent, and with the libraries in $BEHIND behind it.
with_agent() { env LD_PRELOAD="$AGENT${BEHIND:+:$BEHIND}" "$@"; }
bare() { if [ -n "${BEHIND:-}" ]; then env LD_PRELOAD="$BEHIND" "$@"; else "$@"; fi; }
forget() { rm -rf "${EDLEAK_DIR:?}"/*; }

# What the segments hold, into variables: files, running, allocs, frees, bytes, overruns, and losses.
look() { eval "$("$T/seen" || echo files=-1)"; }

# behaves_as_bare NAME COMMAND...: same output, same complaint, same end; leaves the segment.
behaves_as_bare() {
  name=$1
  shift
  (bare "$@") >"$scratch/bare.out" 2>"$scratch/bare.err" </dev/null
  expected=$?
  forget
  (with_agent "$@") >"$scratch/agent.out" 2>"$scratch/agent.err" </dev/null
  status=$?
  if [ "$status" != "$expected" ]; then
    not_ok "$name" "ended with $status, bare with $expected: $(tail -n 2 "$scratch/agent.err")"
  elif ! cmp -s "$scratch/bare.out" "$scratch/agent.out"; then
    not_ok "$name" "output: $(diff "$scratch/bare.out" "$scratch/agent.out" | head -n 4)"
  elif ! cmp -s "$scratch/bare.err" "$scratch/agent.err"; then
    not_ok "$name" "errors: $(diff "$scratch/bare.err" "$scratch/agent.err" | head -n 4)"
  else
    return 0
  fi
  return 1
}

# same NAME COMMAND...: behaves as bare, and was counted.
same() {
  behaves_as_bare "$@" || return 0
  look
  if [ "$files" -lt 1 ] || [ "$allocs" -lt 1 ]; then not_ok "$1" "was not counted: $files segments"; else ok "$1"; fi
}

# same_unseen NAME COMMAND...: behaves as bare, and there is no segment.
same_unseen() {
  behaves_as_bare "$@" || return 0
  look
  if [ "$files" != 0 ]; then not_ok "$1" "$files segments"; else ok "$1"; fi
}
