#!/usr/bin/env bash
# celery against `redlua serve`, or against REDIS_URL.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
python_packages
with_server "$@"
exec pytest -q -p no:cacheprovider "$@"
