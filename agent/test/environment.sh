# Odd surroundings: directories, limits, full file systems, small stacks, other C libraries, real programs.
. "${0%/*}/common.sh"
plain=$T/plain
root=$([ "$(id -u)" = 0 ] && echo yes || echo no)

# --- the segment directory ---------------------------------------------------------------------------

with_directory() { # with_directory NAME DIRECTORY: the process goes unseen, and nothing is made there
  saved=$EDLEAK_DIR
  EDLEAK_DIR=$2
  behaves_as_bare "$1" "$plain" && {
    made=$(find -L "$2" -mindepth 1 2>/dev/null | head -n 1)
    [ -z "$made" ] && ok "$1" || not_ok "$1" "made $made"
  }
  EDLEAK_DIR=$saved
}
forget() { [ "$EDLEAK_DIR" != "$scratch/segments" ] || rm -rf "$scratch/segments"/*; }

with_directory "no directory" "$scratch/none"
mkdir -m 755 "$scratch/open"
with_directory "directory open to others" "$scratch/open"
mkdir -m 700 "$scratch/real"
ln -s real "$scratch/link"
with_directory "directory is a link" "$scratch/link"
: >"$scratch/file"
with_directory "directory is a file" "$scratch/file"
long=$(printf '%0600d' 0)
with_directory "directory of a long name" "$scratch/$long"
if [ $root = yes ]; then
  mkdir -m 700 "$scratch/theirs" && chown 12345 "$scratch/theirs"
  with_directory "directory of somebody else" "$scratch/theirs"
  mkdir -m 500 "$scratch/locked" && chown 65534 "$scratch/locked"
  saved=$EDLEAK_DIR
  EDLEAK_DIR=$scratch/locked
  behaves_as_bare "directory without write permission" setpriv --reuid 65534 --regid 65534 --clear-groups "$plain" &&
    { [ -z "$(ls -A "$scratch/locked")" ] && ok "directory without write permission" || not_ok "directory without write permission" "made a file"; }
  EDLEAK_DIR=$saved
else
  skip "directory of somebody else" "needs root"
  mkdir -m 500 "$scratch/locked"
  with_directory "directory without write permission" "$scratch/locked"
fi
mkdir -m 700 "$scratch/many"
(cd "$scratch/many" && seq 4096 | xargs touch)
saved=$EDLEAK_DIR
EDLEAK_DIR=$scratch/many
behaves_as_bare "directory of too many files" "$plain" &&
  { [ "$(ls "$scratch/many" | wc -l)" = 4096 ] && ok "directory of too many files" || not_ok "directory of too many files" "made one more"; }
EDLEAK_DIR=$saved

# The directory of its own choice: made for this user alone; the segment goes at a normal end.
behaves_as_bare "the default directory" env -u EDLEAK_DIR -u EDLEAK_KEEP "$plain" && {
  mode=$(stat -c '%a %u' "/dev/shm/edleak-$(id -u)")
  [ "$mode" = "700 $(id -u)" ] && ok "the default directory" || not_ok "the default directory" "mode and owner $mode"
}

# --- ends ------------------------------------------------------------------------------------------------

files_after() { # files_after NAME COUNT COMMAND...: so many segments are left of a run that behaves as bare
  name=$1
  wanted=$2
  shift 2
  behaves_as_bare "$name" "$@" || return
  look
  [ "$files" = "$wanted" ] && ok "$name" || not_ok "$name" "$files segments are left, not $wanted"
}
files_after "a normal end removes the segment" 0 env -u EDLEAK_KEEP "$plain"
files_after "a run keeps it" 1 env -u EDLEAK_KEEP EDLEAK_RUN=abc "$plain"
files_after "EDLEAK_KEEP keeps it" 1 "$plain"
files_after "EDLEAK_KEEP=0 does not" 0 env EDLEAK_KEEP=0 "$plain"
files_after "a new image removes the old one's" 0 env -u EDLEAK_KEEP "$T/corners" a_new_image again
files_after "a new image in a run" 2 env -u EDLEAK_KEEP EDLEAK_RUN=abc "$T/corners" a_new_image again
files_after "an end by a signal leaves it" 1 env -u EDLEAK_KEEP "$T/corners" ends_by_signal 9
files_after "an end by SIGSEGV leaves it" 1 env -u EDLEAK_KEEP "$T/corners" ends_by_signal 11
files_after "quick_exit leaves it" 1 env -u EDLEAK_KEEP "$T/corners" ends_by_quick_exit

# --- limits ----------------------------------------------------------------------------------------------

same_or_unseen() { behaves_as_bare "$@" && ok "$1"; }
for kilobytes in 0 4 40 200 1000 10000 200000; do
  same_or_unseen "file size limit of $kilobytes KB" bash -c "ulimit -f $kilobytes; exec '$plain' | cat"
done
for descriptors in 4 5 6 8; do
  same_or_unseen "limit of $descriptors descriptors" sh -c "ulimit -n $descriptors; exec '$plain'"
done
hungry='a = bytearray(150 << 20); print(len(a))'
if command -v python3 >/dev/null; then
  low=150000 high=250000
  while [ $((high - low)) -gt 4000 ]; do
    middle=$(((low + high) / 2))
    if (ulimit -v $middle && exec python3 -c "$hungry") >/dev/null 2>&1; then high=$middle; else low=$middle; fi
  done
  same "address space limit that just fits" bash -c "ulimit -v $((high + high / 16)); exec python3 -c '$hungry'"
else
  skip "address space limit that just fits" "no python3"
fi
for megabytes in 6 16 40 100 300; do
  same_or_unseen "address space limit of $megabytes MB" bash -c "ulimit -v $((megabytes << 10)); exec '$plain'"
done

for kilobytes in 1000 4000 30000 200000; do
  same_or_unseen "data limit of $kilobytes KB" bash -c "ulimit -d $kilobytes; exec '$plain'"
done

# --- memory, stacks, descriptors, users ------------------------------------------------------------------

same "threads with the smallest stack" "$T/corners" small_threads
same "a small signal stack" "$T/corners" small_signal_stack
same "locked memory" "$T/corners" locked_memory
same "closed streams" sh -c "'$T/corners' closed_streams '$scratch/streams' <&- >&- 2>&-; cat '$scratch/streams'"
if [ $root = yes ]; then
  same "in a chroot" "$T/corners" in_a_chroot "$scratch"
  same "another user" "$T/corners" another_user 65534
else
  skip "in a chroot" "needs root"
  skip "another user" "needs root"
fi

# --- a full file system: no SIGBUS -------------------------------------------------------------------------

on_small_tmpfs() { # on_small_tmpfs NAME KILOBYTES COMMAND...
  name=$1
  size=$2
  shift 2
  behaves_as_bare "$name" unshare -m sh -c "mount -t tmpfs -o size=${size}k,mode=700 none '$scratch/segments' && exec \"\$@\"" - "$@" &&
    ok "$name"
}
if unshare -m true 2>/dev/null; then
  for size in 4 16 64 160 320 1000; do
    on_small_tmpfs "tmpfs of $size KB" $size "$T/faulty"
    on_small_tmpfs "tmpfs of $size KB, then full" $size env FILL="$scratch/segments/filler" "$T/faulty"
  done
else
  skip "a full tmpfs" "may not mount"
fi

# --- other C libraries, allocators with debugging ----------------------------------------------------------

if [ -x "$T/musl-plain" ]; then
  same "a musl program" "$T/musl-plain"
  forget
  with_agent "$T/musl-every-hook" "every hook over musl"
  forget
  with_agent "$T/musl-threads" "threads over musl"
else
  skip "a musl program" "no musl-gcc"
fi
for setting in MALLOC_PERTURB_=165 MALLOC_MMAP_THRESHOLD_=1000 MALLOC_ARENA_MAX=1 MALLOC_TOP_PAD_=0 \
  GLIBC_TUNABLES=glibc.malloc.tcache_count=0; do
  same "$setting" env $setting "$T/values"
  forget
  with_agent env $setting "$T/every-hook" "every hook, $setting" | grep -v '^ok'
done
BEHIND=$(ls "$LIBRARIES/libc_malloc_debug.so.0" /lib/*/libc_malloc_debug.so.0 2>/dev/null | head -n 1)
if [ -n "$BEHIND" ]; then
  # Wrong frees die by the same signal in other words, since we ask for the block's size first.
  with_agent env MALLOC_CHECK_=3 "$T/every-hook" "every hook, MALLOC_CHECK_" | grep -v '^ok'
  same "MALLOC_CHECK_" env MALLOC_CHECK_=3 "$T/values"
else
  skip "MALLOC_CHECK_" "no libc_malloc_debug.so.0"
fi
BEHIND=

# --- real programs -------------------------------------------------------------------------------------------

program() { # program COMMAND...
  if command -v "$1" >/dev/null; then same "$*" "$@"; else skip "$*" "no $1"; fi
}
program python3 -c 'import json; print(sum(len(json.dumps({str(i): [i] * 9})) for i in range(20000)))'
program perl -e 'my %h; $h{$_ % 999} .= "x$_" for 1..200000; print length(join "", map $h{$_}, sort keys %h), "\n"'
program bash -c 'for i in 1 2 3 4 5 6 7 8; do a=$(echo $i | sed s/1/2/); (b=$(printf %s "$a"); echo "$b") | cat; done'
program sqlite3 :memory: 'with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) select count(*), sum(length(hex(i))) from n'
program jq -n '[range(20000)] | map(tostring) | join(",") | length'
program sort -r "$0"
program gcc -S -O1 -o - "${0%/*}/reader.c"
