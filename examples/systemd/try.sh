#!/usr/bin/env bash
# try.sh LAB_SCRIPT BLUEGREEN: the unit of this directory on a machine with a real systemd, in half a minute.
# Set-up, two deploys over ssh by a user without rights, a reboot, a power cut during a deploy, `systemctl stop`.
# LAB_SCRIPT makes machines of namespaces: `up N`, `down`, `exec hK CMD`, `leader hK`, all below $LAB. As root;
# needs what it needs, and nginx, python3 and ssh.
set -euo pipefail
lab=$(readlink -f "${1:?which lab script?}") bluegreen=$(readlink -f "${2:?which bluegreen?}") here=$(dirname "$(readlink -f "$0")")
export LAB P=bgtry NET=10.77.29
LAB=$(mktemp -d)
trap '"$lab" down; rm -rf --one-file-system "$LAB"; rm -rf "/run/systemd/nspawn/propagate/$P-h1"' EXIT

on() { "$lab" exec h1 "$@"; }
# From inside: seen from here, an absolute symlink in the machine's root leads into this machine.
put() { on "cat >$1"; }
deploy() { # $1 = version, as the user
  ip netns exec "$P-ctl" ssh -i "$LAB/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
    keeper@$NET.11 bluegreen --app shop deploy "/srv/$1.txt" --version "$1"
}
serves() { # $1 = version
  local body; body=$(on 'curl -s --retry 20 --retry-delay 1 --retry-all-errors --fail http://127.0.0.1/')
  [ "$body" = "$1" ] || { echo "FAILED: the front door answers '$body', not '$1'" >&2; exit 1; }
  echo "ok: $1 answers $2"
}
power_off() { # the lab's own way would take the disk along
  local nspawn leader; nspawn=$(cat "$LAB/h1/pid") leader=$("$lab" leader h1)
  if [ "$1" = cut ]; then kill -9 "$leader" "$nspawn"; else on systemctl poweroff 2>/dev/null || true; fi
  for _ in $(seq 100); do kill -0 "$nspawn" 2>/dev/null || return 0; sleep 0.1; done
  echo "FAILED: the machine does not go off" >&2; exit 1
}
power_on() {
  rm -rf "/run/systemd/nspawn/propagate/$P-h1"
  setsid systemd-nspawn -q -D "$LAB/h1/root" --boot --register=no --keep-unit --network-namespace-path="/run/netns/$P-h1" \
    --machine="$P-h1" --bind="$LAB/h1/data:/data" >"$LAB/h1/console.log" 2>&1 </dev/null &
  echo $! >"$LAB/h1/pid"
  for _ in $(seq 100); do on true 2>/dev/null && break; sleep 0.1; done
  on 'systemctl is-system-running --wait'
}

"$lab" up 1
put /usr/bin/bluegreen <"$bluegreen"
put /etc/systemd/system/bluegreen-up@.service <"$here/bluegreen-up@.service"
on 'chmod 755 /usr/bin/bluegreen; mkdir -p /etc/bluegreen; for v in v1 v2 v3; do echo $v >/srv/$v.txt; done'
put /srv/app.py <<'APP'
import http.server, sys
TEXT = open(sys.argv[2], "rb").read()
class App(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(TEXT)))
        self.end_headers()
        self.wfile.write(TEXT)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), App).serve_forever()
APP
put /etc/bluegreen/shop.toml <<'TOML'
app = "shop"
user = "keeper"
[profiles]
real1 = 8081
real2 = 8082
[start]
command = ["python3", "/srv/app.py", "{port}", "{artifact}"]
[proxy.nginx]
url = "http://127.0.0.1/"
[after_switch]
bake = "2s"
settle = "1s"
TOML
put /etc/nginx/sites-enabled/default <<'NGINX'
server {
    listen 80 default_server;
    location / {
        proxy_pass http://127.0.0.1:8081;
    }
}
NGINX
on 'useradd -m -s /bin/bash keeper && install -d -m 700 -o keeper ~keeper/.ssh &&
    install -m 600 -o keeper ~root/.ssh/authorized_keys ~keeper/.ssh/ && systemctl enable -q --now nginx &&
    bluegreen --app shop setup --apply --yes && systemctl enable -q bluegreen-up@shop'

deploy v1
deploy v2
serves v2 "after two deploys"
power_off cleanly
power_on
serves v2 "after a reboot"
on 'bluegreen --app shop rollback' && serves v1 "after a warm rollback, so v1 was started too"
on 'systemctl stop bluegreen-up@shop' && serves v1 "after the unit was stopped"
on 'systemctl start bluegreen-up@shop' && serves v1 "after it was started again"
deploy v3 & sleep 2.5
power_off cut
wait $! || true
power_on
on 'bluegreen --app shop status'
serves v1 "after a power cut in the bake of v3"
