"""The machines of the trial, their balancer and its users, and Ansible on the controller."""
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
NGINX = """\
worker_processes 1;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events { worker_connections 512; }
http {
    access_log off;
    include /etc/nginx/conf.d/*.conf;
    server {
        listen 80;
        location / {
            proxy_pass http://127.0.0.1:8081;
        }
    }
}
"""
AT_BOOT = """\
#!/bin/sh
mkdir -p /var/log/nginx /run/lock
/usr/sbin/nginx
[ ! -f /etc/bluegreen/shop.toml ] || /usr/bin/bluegreen --app shop up >/var/log/up.log 2>&1
"""
HAPROXY = """\
global
    stats socket {dir}/admin.sock mode 600 level admin
defaults
    mode http
    timeout connect 1s
    timeout client 15s
    timeout server 8s
    option redispatch
    retries 3
    retry-on conn-failure empty-response response-timeout
frontend users
    bind {front}:80
    default_backend web
backend web
    balance roundrobin
    option httpchk GET /health
    default-server inter 500ms fall 2 rise 2
{servers}
"""


def say(text):
    print(text, flush=True)


class Users:
    """Who asks the balancer, all the time of a scenario."""

    def __init__(self, lab):
        words = lab.ctl(sys.executable, str(HERE / "load.py"), lab.front)
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)

    def leave(self):
        self.process.send_signal(signal.SIGTERM)
        return json.loads(self.process.communicate(timeout=60)[0])


class Run:
    """One ansible-playbook. `on` is a list of (text of a line, how many times, what to do then)."""

    def __init__(self, lab, name, words, on=()):
        self.lines, self.began, self.on = [], time.monotonic(), [list(it) for it in on]
        self.log = open(lab.dir / ("%s.log" % name), "w")
        command = lab.ctl(*lab.ansible, "bluegreen_rs.bluegreen.%s" % words[0], *words[1:])
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=lab.env, start_new_session=True)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.log.write(line)
            self.log.flush()
            self.lines.append(line)
            for it in self.on:
                if it[0] in line:
                    it[1] -= 1
                    if it[1] == 0:
                        it[2](self)

    def kill(self):
        """As the power of the controller: nothing of it says good-bye."""
        os.killpg(self.process.pid, signal.SIGKILL)

    def wait(self):
        rc = self.process.wait(timeout=400)
        self.reader.join(timeout=10)
        self.log.close()
        self.took = time.monotonic() - self.began
        return rc

    @property
    def text(self):
        return "".join(self.lines)


class Lab:
    def __init__(self, directory, venv, bluegreen, count):
        self.dir, self.venv, self.bluegreen, self.count = Path(directory), Path(venv), bluegreen, count
        self.prefix, self.net = os.environ.get("P", "bgfleet"), os.environ.get("NET", "10.77.40")
        self.front = self.net + ".1"
        self.hosts = ["h%d" % n for n in range(1, count + 1)]
        self.env = dict(
            os.environ, LAB=str(self.dir), P=self.prefix, NET=self.net,
            ANSIBLE_COLLECTIONS_PATH=str(self.dir / "collections"), ANSIBLE_HOME=str(self.dir / "ansible"),
            ANSIBLE_PIPELINING="1", ANSIBLE_FORKS="20", ANSIBLE_NOCOLOR="1", ANSIBLE_LOCALHOST_WARNING="0",
            ANSIBLE_HOST_KEY_CHECKING="0", ANSIBLE_INVENTORY_UNPARSED_WARNING="0", ANSIBLE_DEPRECATION_WARNINGS="0",
            LC_ALL="C.UTF-8", HOME=str(self.dir / "home"))
        self.ansible = [str(self.venv / "bin/ansible-playbook"), "-i", str(self.dir / "hosts.ini")]
        self.haproxy = None

    def machines(self, *words, **more):
        return subprocess.run([str(HERE / "machines"), *words], env=self.env, check=True, **more)

    def ctl(self, *words):
        return ["ip", "netns", "exec", self.prefix + "-ctl", *words]

    def on(self, host, script, check=True):
        return subprocess.run(
            [str(HERE / "machines"), "exec", host, script], env=self.env, check=check, text=True, stdout=subprocess.PIPE).stdout

    def put(self, host, path, text):
        self.machines("put", host, path, input=text.encode())

    def up(self):
        (self.dir / "home").mkdir(exist_ok=True)
        self.machines("up", str(self.count))
        with open(self.dir / "hosts.ini", "a") as inventory:
            inventory.write("[balancers]\nbalancer ansible_connection=local ansible_python_interpreter=%s\n" % sys.executable)
        for host in self.hosts:
            self.put(host, "/etc/nginx/nginx.conf", NGINX)
            self.put(host, "/srv/app.py", (HERE / "app.py").read_text())
            self.put(host, "/etc/at-boot", AT_BOOT)
            self.on(host, "rm -rf /etc/nginx/conf.d/* /etc/bluegreen /var/lib/bluegreen; chmod 755 /etc/at-boot; /etc/at-boot")
        servers = "\n".join("    server %s %s:80 check" % (host, self.address(host)) for host in self.hosts)
        config = self.dir / "haproxy.cfg"
        config.write_text(HAPROXY.format(dir=self.dir, front=self.front, servers=servers))
        self.haproxy = subprocess.Popen(self.ctl("haproxy", "-db", "-f", str(config)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def down(self):
        if self.haproxy:
            self.haproxy.kill()
            self.haproxy.wait()
        self.machines("down")

    def address(self, host):
        return "%s.%d" % (self.net, 10 + int(host[1:]))

    def deploy(self, version, *more, name="", on=(), wait=True, playbook="deploy"):
        """A run; what it said is kept in a file of this name."""
        artifact = self.dir / "artifacts" / version
        artifact.mkdir(parents=True, exist_ok=True)
        (artifact / "shop.txt").write_text(version + "\n")
        words = [playbook, "-e", "bluegreen_app=shop", "-e", "bluegreen_artifact=%s" % (artifact / "shop.txt"),
                 "-e", "bluegreen_version=%s" % version, "-e", "bluegreen_user=shop", *more]
        run = Run(self, name or "%s-%s" % (playbook, version), words, on)
        if wait:
            run.rc = run.wait()
        return run

    def serves(self, hosts=None):
        """What each machine answers at its own front door; asked without Ansible and without bluegreen."""
        found = {}
        for host in hosts or self.hosts:
            words = self.ctl("curl", "-s", "--max-time", "5", "-w", " %{http_code}", "http://%s/" % self.address(host))
            said = subprocess.run(words, stdout=subprocess.PIPE, text=True).stdout.split()
            found[host] = said[0] if said[-1:] == ["200"] else None
        return found

    def releases(self):
        return sorted(set(version for version in self.serves().values() if version))

    def servers(self):
        """The state of each server at the balancer."""
        words = self.ctl(sys.executable, "-c", "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n"
                         "s.sendall(b'show stat\\n')\nprint(b''.join(iter(lambda: s.recv(65536), b'')).decode())",
                         str(self.dir / "admin.sock"))
        rows = [line.split(",") for line in subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()]
        return {row[1]: row[17] for row in rows if row[:1] == ["web"] and row[1] in self.hosts}

    def sound(self):
        """Until the balancer gives to all again: what is measured then is the scenario's."""
        for _ in range(200):
            if all(re.match("UP", state) for state in self.servers().values()):
                return
            time.sleep(0.1)
        raise AssertionError("the balancer does not give to all: %s" % self.servers())
