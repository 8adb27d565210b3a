#!/usr/bin/env bash
# redis-rs over TCP against `redlua serve`, or against REDIS_URL; and on MockRedis.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
need cargo
with_server "$@"
exec cargo test -q -p redlua-redis-rs "$@"
