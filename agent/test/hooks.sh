# The hooks in real programs: every function over every allocator, and behaviour compared with bare runs.
. "${0%/*}/common.sh"

over() { # over LABEL [LIBRARY]: what depends on the allocator behind us
  label=$1
  BEHIND=${2:-}
  if [ -n "$BEHIND" ] && [ ! -e "$BEHIND" ]; then
    skip "hooks over $label" "no $BEHIND"
    return
  fi
  forget
  with_agent "$T/every-hook" "every hook over $label" || [ $? = 1 ] || not_ok "every hook over $label" "ended with $?"
  same "values over $label" "$T/values"
  same "operators over $label" "$T/operators"
}
over glibc
over jemalloc "$LIBRARIES/libjemalloc.so.2"
over tcmalloc "$LIBRARIES/libtcmalloc_minimal.so.4"
over mimalloc "$LIBRARIES/libmimalloc.so.2.0"
BEHIND=

same "operators of a static libstdc++" "$T/operators-static"
same "operators replaced in part" "$T/partial-new"
same "operators replaced by an arena" "$T/arena-user"
same "operators of a library loaded late" "$T/late-cxx" "$T/late.so"
same "an allocator beside malloc" "$T/beside"
same "300 libraries" "$T/many"
same_unseen "a malloc without malloc_usable_size" "$T/toy"

for event in malloc calloc realloc reallocarray free memalign aligned_alloc posix_memalign valloc pvalloc malloc_usable_size new; do
  same "first event $event" env FIRST_EVENT=$event "$T/first"
done

for death in $("$T/deaths"); do
  case $death in
    null_page | off_by_*) ;; # below
    *) same "$death" "$T/deaths" "$death" ;;
  esac
done
behaves_as_bare null_page "$T/deaths" null_page && ok null_page

# A block whose first byte past the end was overwritten is counted as freed, and as overrun; by chance
# (1 in 256) the byte stays what it was. After a longer write it is lost.
overrun() { # overrun NAME LOW HIGH: so many overruns out of 1000
  behaves_as_bare "$1" "$T/deaths" "$1" || return
  look
  if [ "$overruns" -lt "$2" ] || [ "$overruns" -gt "$3" ]; then not_ok "$1" "$overruns overruns"
  elif [ "$2" -gt 0 ] && [ "$bytes" -gt 10000 ]; then not_ok "$1" "$bytes bytes are left"
  else ok "$1"; fi
}
overrun off_by_one_zero 950 1000
overrun off_by_one_ff 950 1000
overrun off_by_one_odd 0 0
overrun off_by_eight 0 5
