# What the library's file shows: what it exports, what it needs, how it is linked, how much stack its hooks take.
. "${0%/*}/common.sh"
here=${0%/*}

# check NAME WHAT: passes when WHAT (what is wrong) is empty
check() { if [ -z "$2" ]; then ok "$1"; else not_ok "$1" "$2"; fi; }
if ! command -v readelf >/dev/null || ! command -v nm >/dev/null; then
  skip symbols "no binutils"
  exit
fi

sed -n 's/^HOOK([A-Z]*, [^,]*, \([A-Za-z0-9_]*\),.*/\1/p' "$here/../hooks.def" | sort >"$scratch/hooks"
nm -D --defined-only "$AGENT" | awk '{print $3}' | sort >"$scratch/exports"
[ "$(wc -l <"$scratch/hooks")" -gt 100 ] || not_ok "exports" "the list of hooks could not be read"
check "exports are the hooks" "$(diff "$scratch/hooks" "$scratch/exports")"
sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\);$/\1/p; s/^ *\([A-Za-z_][A-Za-z0-9_]*\); *$/\1/p' "$T/../agent/agent.map" | sort -u >"$scratch/map"
check "linker map is the hooks" "$(diff "$scratch/hooks" "$scratch/map")"

check "needs no library" "$(readelf -dW "$AGENT" | grep NEEDED)"
check "asks for no symbol version" "$(readelf -VW "$AGENT" | grep -E 'GLIBC|Name:')"
check "has no text relocations, no executable stack" "$(readelf -dW "$AGENT" | grep TEXTREL; readelf -lW "$AGENT" | grep GNU_STACK | grep E)"
readelf -dW "$AGENT" | grep -qE 'FLAGS.*NOW' || not_ok "is bound at once" "no NOW"
check "is bound at once" "$(readelf -rW "$AGENT" | grep JUMP_SLO; readelf -SW "$AGENT" | grep ' \.plt ')"
readelf -lW "$AGENT" | grep -q GNU_RELRO || not_ok "is read only after binding" "no RELRO"
tls=$(readelf -lW "$AGENT" | awk '$1 == "TLS" {print $6}')
check "has at most 64 bytes of thread-local storage" "$([ $((tls)) -le 64 ] && [ $((tls)) -gt 0 ] || echo "$tls")"
check "has no name of its own to clash" "$(nm -D "$AGENT" | grep ' edl_')"

musl=$(ls /lib/ld-musl-*.so.1 /lib/ld-musl-*.so 2>/dev/null | head -n 1)
if [ -n "$musl" ]; then
  nm -D --defined-only "$musl" | awk '{print $3}' | sort -u >"$scratch/musl"
  nm -D --undefined-only "$AGENT" | awk '{print $2}' | sort -u >"$scratch/needs"
  check "musl has all it needs" "$(comm -23 "$scratch/needs" "$scratch/musl")"
else
  skip "musl has all it needs" "no musl"
fi

# Stack of the hooks over what bare takes: new threads, new allocers, growth, big blocks, older frees.
forget
"$T/stack" >"$scratch/bare"
with_agent "$T/stack" >"$scratch/agent"
[ "$(with_agent "$T/stack" seen)" = seen ] || not_ok "hooks take at most 512 bytes of stack" "was not counted"
paste "$scratch/bare" "$scratch/agent" | awk '{ d = $2 - $1; if (d > most) most = d } END { print NR, most + 0 }' >"$scratch/most"
read -r lines most <"$scratch/most"
check "hooks take at most 512 bytes of stack" "$([ "$lines" -gt 40 ] && [ "$most" -le 512 ] && [ "$most" -gt 0 ] || echo "$most bytes more than bare in $lines calls")"
