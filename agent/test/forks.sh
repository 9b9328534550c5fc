# Children of every kind, under load and out of signal handlers.
. "${0%/*}/common.sh"
unset EDLEAK_KEEP

counted() { # counted NAME LIBRARY COMMAND...
  name=$1
  BEHIND=$2
  shift 2
  forget
  with_agent "$@" || [ $? = 1 ] || not_ok "$name" "ended with $?"
}
counted "fork" "" "$T/forks" fork
counted "fork over mimalloc" "$LIBRARIES/libmimalloc.so.2.0" "$T/forks" "fork over mimalloc"
counted "fork under load" "" "$T/fork-load" threads "fork under load"
counted "fork in a handler" "$T/libsafe-chunks.so" "$T/fork-load" handler "fork in a handler, fast path"
counted "fork in a handler" "$T/libsafe-malloc.so" "$T/fork-load" handler "fork in a handler, slow path"
