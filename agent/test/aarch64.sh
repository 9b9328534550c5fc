# The agent for aarch64 under a user-mode emulator: hooks, storms, forks (the emulator doesn't wipe pages on
# fork, so only those that the C library announces). Not part of `make test`: few machines have the tools.
. "${0%/*}/common.sh"
emulator="qemu-aarch64 -L ${SYSROOT:-/usr/aarch64-linux-gnu}"

emulated() { # emulated NAME LIBRARY COMMAND...
  name=$1
  preload=$AGENT${2:+:$2}
  shift 2
  forget
  $emulator -E LD_PRELOAD="$preload" "$@" 2>/dev/null || [ $? = 1 ] || not_ok "$name" "ended with $?"
}
emulated "every hook (aarch64)" "" "$T/every-hook" "every hook (aarch64)"
emulated "threads (aarch64)" "" "$T/threads" "threads (aarch64)"
emulated "signals (aarch64)" "$T/libsafe-malloc.so" "$T/signals" own "signals (aarch64)" 3000
emulated "signals (aarch64)" "$T/libsafe-chunks.so" "$T/signals" shared "signals (aarch64)" 3000
emulated "fork (aarch64)" "" "$T/forks" "fork (aarch64)" | grep -vE 'by__Fork|raw_clone|first_event'
$emulator "$T/values" >"$scratch/bare"
$emulator -E LD_PRELOAD="$AGENT" "$T/values" >"$scratch/agent"
if cmp -s "$scratch/bare" "$scratch/agent"; then ok "values (aarch64)"; else not_ok "values (aarch64)" "$(diff "$scratch/bare" "$scratch/agent")"; fi
