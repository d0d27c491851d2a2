#!/usr/bin/env bash
# newcomer.sh LAB_SCRIPT PACKAGE.deb V1.jar V2.jar: the first five minutes of somebody who has an nginx as Debian brings it and a Spring Boot
# jar, with a stopwatch: install, init, setup, check, two deploys under load, a rollback. Nothing is read but what the program says: each
# mistake on the way must name what to type next, and that is typed. An administrator is root; who deploys has no rights.
# LAB_SCRIPT as for try.sh; the jars are those of examples/spring-boot, built with -Drevision=v1 and v2. Needs what try.sh needs, and nginx,
# java and curl. As root.
set -euo pipefail
lab=$(readlink -f "${1:?which lab script?}") package=$(readlink -f "${2:?which package?}")
v1=$(readlink -f "${3:?which jar?}") v2=$(readlink -f "${4:?which newer jar?}")
export LAB P=bgnew NET=10.77.31
LAB=$(mktemp -d)
trap '"$lab" down; rm -rf --one-file-system "$LAB"; rm -rf "/run/systemd/nspawn/propagate/$P-h1"' EXIT

root() { "$lab" exec h1 "cd ~deploy/shop && $*"; }
deploy() {
  ip netns exec "$P-ctl" ssh -i "$LAB/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
    deploy@$NET.11 "cd shop && $*"
}
# types CODE TEXT WHO COMMAND: the command ends with this code, and says this text. WHO is root or deploy.
types() {
  local code=$1 text=$2 status=0 began=${EPOCHREALTIME//[!0-9]/}
  shift 2
  "$@" >"$LAB/said" 2>&1 || status=$?
  printf '%6d ms  %-6s  %s\n' $(((${EPOCHREALTIME//[!0-9]/} - began) / 1000)) "$1" "${*:2}"
  if [ "$status" != "$code" ] || { [ -n "$text" ] && ! tr -s ' ' <"$LAB/said" | grep -qF -- "$text"; }; then
    cat "$LAB/said"; echo "FAILED: ended with $status, not $code, or does not say '$text'" >&2; exit 1
  fi
}

"$lab" up 1
"$lab" exec h1 'useradd -m -s /bin/bash deploy && install -d -m 700 -o deploy ~deploy/.ssh ~deploy/shop &&
  install -m 600 -o deploy ~root/.ssh/authorized_keys ~deploy/.ssh/ && systemctl enable -q --now nginx'
root 'cat >/tmp/bluegreen.deb' <"$package"
deploy 'cat >v1.jar' <"$v1"
deploy 'cat >../v2.jar' <"$v2"
began=$SECONDS

types 0 'Setting up bluegreen' root apt-get install -y /tmp/bluegreen.deb
types 2 'next bluegreen init' deploy bluegreen status
types 0 'write `proxy_pass http://127.0.0.1:8081;` into `location /` of the server block at /etc/nginx/sites-enabled/default' deploy bluegreen init --yes
types 3 'next sudo bluegreen setup --apply' deploy bluegreen deploy v1.jar
types 3 'next sudo bluegreen setup --apply' deploy bluegreen setup --apply
types 3 '→ write `proxy_pass http://127.0.0.1:8081;`' deploy bluegreen check
types 2 'next sudo chown root bluegreen.toml' root bluegreen setup --apply --yes
types 0 '' root chown root bluegreen.toml
types 3 'next write `proxy_pass http://127.0.0.1:8081;`' root bluegreen setup --apply --yes
types 0 '' root 'sed -i "s|try_files .*|proxy_pass http://127.0.0.1:8081;|" /etc/nginx/sites-enabled/default'
types 0 'next bluegreen check' root bluegreen setup --apply --yes
types 0 'a deploy can begin' deploy bluegreen check
types 0 'of our own probes through the front door, 0 lost' deploy bluegreen deploy v1.jar --version v1
types 0 'v1 real' deploy curl -sS http://127.0.0.1/
echo "        the first deploy: $((SECONDS - began)) s after the first command"
types 10 'next bluegreen logs' deploy 'echo no jar >broken.jar; bluegreen deploy broken.jar'
types 11 'next ls -l' deploy bluegreen deploy typo.jar
deploy 'while :; do curl -sS -o /dev/null -w "%{http_code}\n" http://127.0.0.1/ || echo lost; done' >"$LAB/load" 2>&1 &
load=$!
types 0 '`bluegreen rollback` goes back' deploy bluegreen deploy ../v2.jar --version v2
types 0 'v2 real' deploy curl -sS http://127.0.0.1/
types 0 '' deploy bluegreen rollback
types 0 'v1 real' deploy curl -sS http://127.0.0.1/
kill "$load"
wait "$load" 2>/dev/null || true
[ -s "$LAB/load" ] && ! grep -v '^200$' "$LAB/load" || { echo "FAILED: the load was not answered with 200 only" >&2; exit 1; }
types 0 'confirmed' deploy bluegreen releases
echo "        all of it: $((SECONDS - began)) s, with a load of $(wc -l <"$LAB/load") requests, all answered"
[ $((SECONDS - began)) -lt 300 ] || { echo "FAILED: five minutes are over" >&2; exit 1; }
