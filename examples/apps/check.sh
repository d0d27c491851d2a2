#!/usr/bin/env bash
# Starts each app, asks it, and sees that SIGTERM ends it. Skips, and says so, what is not installed here.
set -euo pipefail
cd "$(dirname "$0")"

work=$(mktemp -d)
app=
trap '[ -z "$app" ] || kill "$app" 2>/dev/null || true; rm -rf "$work"' EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# expect TEXT PATH [CURL_OPTION...]
expect() {
    local text=$1 path=$2 answer
    shift 2
    answer=$(curl -sS "$@" "http://127.0.0.1:$port$path") || true
    [ "$answer" = "$text" ] || { echo "FAILED: $path answered \"$answer\" instead of \"$text\""; exit 1; }
}

# check NAME VERSION COMMAND...: the command runs the app as real1 on $port
check() {
    local name=$1 version=$2 status=0
    shift 2
    "$@" >"$work/$name.log" 2>&1 &
    app=$!
    curl -sS --retry 50 --retry-delay 0 --retry-connrefused --retry-max-time 20 -o /dev/null "http://127.0.0.1:$port/profile" 2>/dev/null
    expect real1 /profile
    expect "$version real1" /
    expect "$version real1"$'\n'"order 7" / -d "order 7"
    kill -TERM "$app"
    wait "$app" || status=$?
    app=
    case $status in
        0 | 143) echo "ok: $name" ;;
        *) echo "FAILED: $name ended with $status"; cat "$work/$name.log"; exit 1 ;;
    esac
}

have() { command -v "$1" >/dev/null || { echo "SKIPPED: no $1 here"; return 1; }; }

port=$(free_port)
if have java && have javac; then
    java/build.sh v1 "$work/app.jar"
    check java v1 java -jar "$work/app.jar" --spring.profiles.active=oauth,real1 --server.port="$port" --boot.ms=200
fi
port=$(free_port)
if have node; then
    check node 1.0.0 node node/server.js --profile=real1 --port="$port"
fi
port=$(free_port)
if have gunicorn; then
    PYTHONDONTWRITEBYTECODE=1 PROFILE=real1 check gunicorn 1.0.0 gunicorn --chdir gunicorn --workers 2 --bind "127.0.0.1:$port" app:app
fi
