# What the run.sh of every library has in common: a server to run against, and the library itself
# in the version that its folder pins. Must not know any library.
#
# An exit status of 77 says that the machine lacks what the library needs.

clients="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$clients/../.." && pwd)"
here="$(cd "$(dirname "$0")" && pwd)"
cd "$here" || exit 1

# Ends with 77 when one of the programs is missing.
need() {
    for program in "$@"; do
        command -v "$program" >/dev/null || { echo "skipped: no $program"; exit 77; }
    done
}

# Starts the same script again under `redlua serve -- …`, which sets REDIS_URL, unless the caller
# has set REDIS_URL to a server of their own.
with_server() {
    [ -n "${REDIS_URL:-}" ] && return
    if [ -z "${REDLUA:-}" ]; then
        (cd "$root" && cargo build -q --profile "${REDLUA_PROFILE:-dev}" -p redlua-cli) || exit 1
        local folder="${REDLUA_PROFILE:-debug}"
        REDLUA="${CARGO_TARGET_DIR:-$root/target}/$folder/redlua"
    fi
    exec "$REDLUA" serve -- "$here/run.sh" "$@"
}

# A virtual environment with what requirements.txt pins; made again when that file changes.
python_packages() {
    need python3
    local stamp
    stamp="$(cksum <requirements.txt)"
    if [ ! -f .venv/stamp ] || [ "$(cat .venv/stamp)" != "$stamp" ]; then
        rm -rf .venv
        python3 -m venv .venv >/dev/null 2>&1 || { echo "skipped: python3 has no venv"; exit 77; }
        .venv/bin/pip install -q --disable-pip-version-check -r requirements.txt || exit 1
        echo "$stamp" >.venv/stamp
    fi
    PATH="$here/.venv/bin:$PATH"
}

# node_modules as package-lock.json pins them; made again when that file changes. `npm ci` would
# insist on optional packages for other machines, which not every registry mirror has.
node_packages() {
    need node npm
    local stamp
    stamp="$(cksum <package-lock.json)"
    if [ ! -f node_modules/.stamp ] || [ "$(cat node_modules/.stamp)" != "$stamp" ]; then
        npm install --no-save --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error || exit 1
        echo "$stamp" >node_modules/.stamp
    fi
}
