# Every system call of the agent fails once, and all from it on: the target never notices.
. "${0%/*}/common.sh"
unset EDLEAK_KEEP
"$T/sweep" "$T/libedleak-faults.so" "$T/faulty" || [ $? = 1 ] || not_ok faults "ended with $?"
