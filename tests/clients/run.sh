#!/usr/bin/env bash
# Runs the clients that others wrote against `redlua serve`, or against REDIS_URL, and prints a
# table. Arguments name the folders to run; none means all.
set -uo pipefail
cd "$(dirname "$0")" || exit 1
logs="${CARGO_TARGET_DIR:-../../target}/clients"
mkdir -p "$logs"
logs="$(cd "$logs" && pwd)"

if [ -z "${REDIS_URL:-}" ] && [ -z "${REDLUA:-}" ]; then
    cargo build -q -p redlua-cli || exit 1
    REDLUA="$(cd "${CARGO_TARGET_DIR:-../../target}/debug" && pwd)/redlua"
    export REDLUA
fi

[ $# -gt 0 ] || set -- */
passed=0
failed=0
skipped=0
printf '%-24s %-22s %10s %8s\n' library version result seconds
for library in "$@"; do
    library="${library%/}"
    log="$logs/$library.txt"
    version="$(sed -n "s/^$library==//p; s/^redis==//p" "$library/requirements.txt" 2>/dev/null | head -n 1)"
    if [ -z "$version" ] && [ -f "$library/package.json" ]; then
        name="$library"
        [ "$name" = node-redis ] && name=redis
        version="$(sed -n "s/^ *\"$name\": \"\(.*\)\".*/\1/p" "$library/package.json")"
    fi
    began=$SECONDS
    timeout 600 "$library/run.sh" >"$log" 2>&1 </dev/null
    status=$?
    # pytest, node's test runner, cargo and our own closing line say it differently.
    count="$(sed -nE 's/^# pass ([0-9]+)/\1/p; s/^([0-9]+) passed.*/\1/p; s/^test result: ok\. ([0-9]+) passed.*/\1/p' "$log" |
        awk '{ n += $1 } END { print n + 0 }')"
    case "$status" in
    0 | 77) ;;
    *) result=FAILED failed=$((failed + 1)) ;;
    esac
    [ "$status" = 0 ] && result="$count passed" && passed=$((passed + count))
    [ "$status" = 77 ] && result=skipped && skipped=$((skipped + 1))
    printf '%-24s %-22s %10s %8s\n' "$library" "${version:--}" "$result" $((SECONDS - began))
    [ "$status" = 77 ] && tail -n 1 "$log"
    [ "$result" = FAILED ] && grep -vE '^ *(ok|#|---|\.\.\.|duration_ms)' "$log" | tail -n 40
done
echo "clients: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
