#!/usr/bin/env bash
# ioredis against `redlua serve`, or against REDIS_URL.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
node_packages
with_server "$@"
exec node --test --test-reporter=tap "$@"
