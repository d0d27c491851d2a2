#!/usr/bin/env bash
# As much of `bluegreen` as the benchmark uses, so that its own tests need no other build. No safety, no state.
set -euo pipefail

config=$2
shift 2
[ "$1" = --format ] && shift 2
verb=$1
shift

value() { sed -n "s/^$1 = //p" "$config" | tr -d '"'; }
route=$(value route_dir)
real1=$(value real1)
real2=$(value real2)

print() {
    case $1 in
        http)
            echo "upstream bench.real1 { server 127.0.0.1:$real1; keepalive 32; keepalive_timeout 1s; }"
            echo "upstream bench.real2 { server 127.0.0.1:$real2; keepalive 32; keepalive_timeout 1s; }"
            ;;
        server)
            echo 'set $bench_upstream bench.real1;'
            echo "if (-f $route/live/second) { set \$bench_upstream bench.real2; }"
            ;;
        location)
            echo 'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://$bench_upstream;'
            ;;
    esac
}

idle() { [ "$(readlink "$route/live")" = real1 ] && echo real2 || echo real1; }

flip() {
    ln -s "$1" "$route/new"
    mv -T "$route/new" "$route/live"
}

finished() { echo "{\"event\":\"finished\",\"outcome\":\"$1\",\"exit_code\":0,\"receipt\":{\"switch_us\":1500}}"; }

deploy() {
    local artifact=$3 profile port words pid
    profile=$(idle)
    port=${!profile}
    # Who listens says its own process id.
    if pid=$(curl -sf "http://127.0.0.1:$port/process"); then
        kill "${pid%% *}"
        while curl -s -o /dev/null "http://127.0.0.1:$port/profile"; do sleep 0.01; done
    fi
    words=$(value command | tr -d '[]' | sed "s|{artifact}|$artifact|; s|{profile}|$profile|; s|{port}|$port|")
    IFS=, read -r -a words <<<"$words"
    setsid "${words[@]}" </dev/null >"$route/../$profile.log" 2>&1 &
    until curl -s -o /dev/null "http://127.0.0.1:$port/profile"; do sleep 0.01; done
    flip "$profile"
    finished switched
}

case $verb in
    setup) print "$2" ;;
    deploy) deploy "$@" ;;
    rollback)
        flip "$(idle)"
        finished rolled_back
        ;;
esac
