# Books against segment: threads over each allocator, signals in every instruction of the hooks.
. "${0%/*}/common.sh"

storm() { # storm NAME LIBRARY COMMAND...
  name=$1
  BEHIND=$2
  shift 2
  if [ -n "$BEHIND" ] && [ ! -e "$BEHIND" ]; then
    skip "$name" "no $BEHIND"
    return
  fi
  forget
  with_agent "$@" || [ $? = 1 ] || not_ok "$name" "ended with $?"
}

for allocator in "" libjemalloc.so.2 libtcmalloc_minimal.so.4 libmimalloc.so.2.0; do
  name="threads over ${allocator:-glibc}"
  storm "$name" "${allocator:+$LIBRARIES/$allocator}" "$T/threads" "$name"
done
for where in own shared; do
  storm "signals in the fast path" "$T/libsafe-chunks.so" "$T/signals" $where "signals in the fast path" 100000
  storm "signals in the slow path" "$T/libsafe-malloc.so" "$T/signals" $where "signals in the slow path" 20000
done
