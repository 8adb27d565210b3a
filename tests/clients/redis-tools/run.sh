#!/usr/bin/env bash
# redis-cli and redis-benchmark of redis-tools against `redlua serve`, or against REDIS_URL.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
need redis-cli redis-benchmark
with_server "$@"

cli() { redis-cli -u "$REDIS_URL" "$@" 2>&1; }
address="${REDIS_URL#*://}"
address="${address%%/*}"
host="${address%:*}"
port="${address##*:}"
passed=0
failed=0

# Name, what should come, what came.
check() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s\n expected: %s\n      got: %s\n' "$1" "$2" "$3"
    fi
}
# Name, a regular expression, what came.
matches() {
    if [[ "$3" =~ $2 ]]; then check "$1" yes yes; else check "$1" "$2" "$3"; fi
}

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
cli flushall >/dev/null

check "a command" OK "$(cli set k v)"
check "raw reply" v "$(cli get k)"
check "human reply" '"v"' "$(cli --no-raw get k)"
check "RESP3" '1# "f" => "v"' "$(cli hset h f v >/dev/null; cli -3 --no-raw hgetall h)"
check "json" '{"f":"v"}' "$(cli -3 --json hgetall h)"
check "csv" '"f","v"' "$(cli --csv hgetall h)"
check "last word from the standard input" "3" "$(printf 'abc' | cli -x set piped >/dev/null; cli strlen piped)"
check "commands from the standard input" $'OK\n2' "$(printf 'set a 1\nincr a\n' | cli)"
check "repeated" $'1\n2\n3' "$(cli -r 3 incr counter)"
matches "an error's exit status" 'ERR wrong number of arguments for .get. command.* 1$' "$(cli -e get; echo " $?")"
check "database" 1 "$(cli -n 3 set x y >/dev/null; cli -n 3 dbsize)"

printf 'return {KEYS[1], ARGV[1], redis.call("get", KEYS[1])}' >"$scratch/s.lua"
check "--eval" $'k\narg\nv' "$(cli --eval "$scratch/s.lua" k , arg)"
matches "a script that fails" "user_script:1: no.* script: [0-9a-f]{40}" "$(cli eval "error('no')" 0)"

for i in $(seq 2000); do printf '*3\r\n$3\r\nSET\r\n$%d\r\nmass:%d\r\n$1\r\nx\r\n' $((5 + ${#i})) "$i"; done >"$scratch/mass"
matches "--pipe" "errors: 0, replies: 2000" "$(cli --pipe <"$scratch/mass")"
check "--scan" 2000 "$(cli --scan --pattern 'mass:*' | wc -l)"
matches "--bigkeys" "Sampled 200[0-9] keys" "$(cli --bigkeys)"
matches "--memkeys" "Sampled 200[0-9] keys" "$(cli --memkeys)"
matches "--latency" "^[0-9]+ [0-9]+ [0-9.]+ [0-9]+" "$(timeout 2 redis-cli -u "$REDIS_URL" --raw --latency 2>&1 || true)"
matches "--stat" "keys +mem +clients" "$(timeout 2 stdbuf -oL redis-cli -u "$REDIS_URL" --stat -i 0.1 2>&1 || true)"
matches "inline commands" "PONG" "$(printf 'PING\r\nQUIT\r\n' | timeout 5 bash -c "exec 3<>/dev/tcp/$host/$port; cat >&3; cat <&3")"
matches "info" "redis_version:7\.0" "$(cli info server)"
matches "help from COMMAND DOCS" "." "$(cli command docs get | head -n 3)"

redis-cli -u "$REDIS_URL" subscribe news >"$scratch/heard" &
listener=$!
for _ in $(seq 100); do [ "$(cli publish news hello)" = 1 ] && break; sleep 0.05; done
sleep 0.2
kill "$listener" 2>/dev/null || true
wait "$listener" 2>/dev/null || true
matches "subscribe" $'message\nnews\nhello' "$(cat "$scratch/heard")"

redis-cli -u "$REDIS_URL" monitor >"$scratch/monitored" &
listener=$!
for _ in $(seq 100); do
    cli eval "redis.call('set', 'seen', 1)" 0 >/dev/null
    grep -q 'lua\] "set" "seen" "1"' "$scratch/monitored" && break
    sleep 0.05
done
kill "$listener" 2>/dev/null || true
wait "$listener" 2>/dev/null || true
matches "monitor shows what a script calls" '\[0 lua\] "set" "seen" "1"' "$(cat "$scratch/monitored")"

# Every test of redis-benchmark, with and without pipelining, and a script.
for options in "-P 1 -c 50" "-P 16 -c 10"; do
    # shellcheck disable=SC2086
    report="$(redis-benchmark -h "$host" -p "$port" -q -n 2000 $options 2>&1 | tr '\r' '\n')"
    check "redis-benchmark $options" 20 "$(grep -c 'requests per second' <<<"$report")"
    check "redis-benchmark $options: errors" "" "$(grep -i error <<<"$report" || true)"
done
sha="$(cli script load "return redis.call('incr', KEYS[1])")"
matches "redis-benchmark evalsha" "requests per second" \
    "$(redis-benchmark -h "$host" -p "$port" -q -n 5000 -P 16 evalsha "$sha" 1 bench)"
# It sends whole pipelines, so a few more than asked for.
matches "and it counted" "^50[0-9][0-9]$" "$(cli get bench)"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
