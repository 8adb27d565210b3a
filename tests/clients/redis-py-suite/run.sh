#!/usr/bin/env bash
# redis-py's own tests, as its source package ships them, against `redlua serve`, or against
# REDIS_URL. Left out is what needs modules, a cluster, TLS or a newer server, by its own marks,
# and four tests that redis-server 7.0.15 fails as well: they expect replies of later versions.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
python_packages
version="$(sed -n 's/^redis==//p' requirements.txt)"
source=".venv/redis-$version"
if [ ! -d "$source" ]; then
    pip download -q --disable-pip-version-check --no-deps --no-binary redis -d .venv \
        "redis==$version" || { echo "skipped: not downloaded"; exit 77; }
    tar -xzf "$source.tar.gz" -C .venv
fi
with_server "$@"
files=()
for name in commands scripting lock pipeline pubsub function monitor encoding hash connection_pool \
    keyspace_notifications client; do
    files+=("tests/test_$name.py")
done
cd "$source"
address="${REDIS_URL#*://}"
url="redis://${address%%/*}"
exec pytest -q -p no:cacheprovider -W ignore --timeout 60 --redis-url "$url/9" \
    --redis-mod-url "$url" --protocol 3 \
    -m "not onlycluster and not redismod and not ssl and not experimental" \
    --deselect tests/test_commands.py::TestRedisCommands::test_acl_getuser_setuser \
    --deselect tests/test_commands.py::TestRedisCommands::test_acl_log \
    --deselect tests/test_commands.py::TestRedisCommands::test_psync \
    --deselect tests/test_commands.py::TestRedisCommands::test_xgroup_create_entriesread \
    "${files[@]}" "$@"
