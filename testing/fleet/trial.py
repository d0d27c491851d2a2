"""trial.py LAB VENV BLUEGREEN [--hosts N] [--sample | --times RUNS] [SCENARIO...]: see `run`."""
import argparse
import datetime
import json
import os
import re
import sys
import threading
import time
from pathlib import Path

from github import Runner
from lab import Lab, Run, Users, say

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


class Fault(Exception):
    pass


def holds(what, so):
    if not so:
        raise Fault(what)


class Trial:
    """The versions count up; `now` is what all machines serve between two scenarios."""

    def __init__(self, lab):
        self.lab, self.number, self.now, self.brief = lab, 0, None, False

    def next(self):
        self.number += 1
        return "v%d" % self.number

    def again(self, version):
        """One more run, with nothing broken: exactly one release. The sample has no time for it."""
        if self.brief:
            return
        self.fresh(version)

    def fresh(self, version):
        run = self.lab.deploy(version, name="again-%s" % version)
        holds("one more run ends with 0, not %d: %s" % (run.rc, run.text[-1500:]), run.rc == 0)
        self.one(version)

    def one(self, version):
        serves = self.lab.serves()
        holds("all serve %s: %s" % (version, serves), set(serves.values()) == {version})
        self.now = version

    def nothing_waits(self):
        told = [json.loads(self.lab.on(host, "bluegreen --app shop status --format json")) for host in self.lab.hosts]
        holds("nothing waits: %s" % told, all(status["waits"] is None for status in told))

    def play(self, name):
        users, began = Users(self.lab), time.monotonic()
        try:
            told = SCENARIOS[name](self)
        finally:
            saw = users.leave()
        rc, releases, may_lose = told["rc"], told["releases"], told.get("may_lose", 0)
        holds("%d of %d requests lost: %s" % (saw["lost"], saw["requests"], saw["why"]), saw["lost"] <= may_lose)
        holds("there were users", saw["requests"] > 50)
        # never mixed, and never failed, without saying so
        holds("rc %s with %s" % (rc, releases), (rc != 0) == (len(releases) != 1 or told["failed"]))
        say("ok: %-22s rc %4s, %-8s then %-4s %5d requests, %d lost, %3.0f s" % (
            name, rc, "+".join(releases) + ",", self.now + ",", saw["requests"], saw["lost"], time.monotonic() - began))
        self.lab.sound()

    def failed(self, run, releases=None, **more):
        holds("it fails: %s" % run.text[-800:], run.rc != 0)
        return dict(rc=run.rc, releases=releases if releases is not None else self.lab.releases(), failed=True, **more)


@scenario
def healthy(trial):
    version = trial.next()
    run = trial.lab.deploy(version, "--diff")
    holds("it ends with 0: %s" % run.text[-1500:], run.rc == 0)
    trial.one(version)
    for shown in ("+release: %s\n" % version, "+route: real"):
        holds("the diff shows %r on each: %s" % (shown, run.text[-4000:]), run.text.count(shown) == len(trial.lab.hosts))
    table = [line for line in run.lines if line.startswith(tuple(trial.lab.hosts))]
    holds("one line for each machine: %s" % table, sum(version in line for line in table) == len(trial.lab.hosts))
    return dict(rc=run.rc, releases=trial.lab.releases(), failed=False)


@scenario
def planned(trial):
    """Check mode says what would be, and does nothing."""
    version, lab = trial.next(), trial.lab
    run = lab.deploy(version, "--check", "--diff", name="check-%s" % version)
    holds("it ends with 0: %s" % run.text[-1500:], run.rc == 0)
    holds("the diff shows what would wait: %s" % run.text[-4000:], run.text.count("-waits: none") == len(lab.hosts))
    holds("nothing was done: %s" % lab.releases(), lab.releases() == [trial.now])
    trial.nothing_waits()
    told = dict(rc=run.rc, releases=lab.releases(), failed=False)
    trial.again(version)
    return told


def sick(trial, when):
    version, before = trial.next(), trial.now
    trial.lab.put("h2", "/etc/fault", "%s %s\n" % (version, when))
    run = trial.lab.deploy(version)
    told = trial.failed(run)
    holds("all serve %s still: %s" % (before, trial.lab.serves()), told["releases"] == [before])
    trial.nothing_waits()
    holds("the failure says why: %s" % run.text[-3000:], "health" in run.text and "h2" in run.text)
    trial.lab.on("h2", "rm /etc/fault")
    trial.again(version)
    return told


@scenario
def sick_in_prepare(trial):
    return sick(trial, "prepare")


@scenario
def sick_after_promote(trial):
    return sick(trial, "promote")


@scenario
def prepared_one_by_one(trial):
    """The second one is sick, so that the third is not asked, and the first takes it back."""
    version, before, lab = trial.next(), trial.now, trial.lab
    holds("`check` says what is doubled", "each with its own connections to a database" in lab.on("h1", "bluegreen --app shop check -v"))
    one_by_one = ["-e", json.dumps({"bluegreen_prepare_serial": 1})]
    lab.put("h2", "/etc/fault", "%s prepare\n" % version)
    run = lab.deploy(version, *one_by_one)
    told = trial.failed(run)
    holds("all serve %s: %s" % (before, told["releases"]), told["releases"] == [before])
    holds("each is a batch: %s" % run.text, run.text.count("TASK [Prepare]") == len(lab.hosts))
    holds("the third was not asked: %s" % run.text, re.search(r"TASK \[Prepare\] \*+\nskipping: \[h3\]", run.text) or len(lab.hosts) < 3)
    trial.nothing_waits()
    lab.on("h2", "rm /etc/fault")
    run = lab.deploy(version, *one_by_one, name="again-%s" % version)
    holds("one more run ends with 0: %s" % run.text[-1500:], run.rc == 0)
    trial.one(version)
    return told


@scenario
def copies_in_trouble(trial):
    """The disk of one machine refuses at first, the connection to another one is cut in the middle of the copy: both get it all the same."""
    version, lab = trial.next(), trial.lab
    last, sftp = lab.hosts[-1], "/usr/lib/openssh/sftp-server"
    lab.on("h2", "chattr +i /var/cache/bluegreen/shop")
    lab.on(last, "mv %s %s.real" % (sftp, sftp))
    lab.put(last, sftp, "#!/bin/sh\n[ -e /run/cut ] || { touch /run/cut; kill -9 $PPID; }\nexec %s.real\n" % sftp)
    lab.on(last, "chmod 755 %s" % sftp)

    def mend(unused):
        lab.on("h2", "chattr -i /var/cache/bluegreen/shop")

    run = lab.deploy(version, on=[("FAILED - RETRYING: [h2]: Copy", 1, mend)])
    holds("it ends with 0: %s" % run.text[-3000:], run.rc == 0)
    holds("the copy was tried again: %s" % run.text, "FAILED - RETRYING: [h2]: Copy" in run.text)
    lab.on(last, "ls /run/cut && mv %s.real %s" % (sftp, sftp))
    trial.one(version)
    return dict(rc=run.rc, releases=lab.releases(), failed=False)


@scenario
def changed_on_the_way(trial):
    """One machine has another artifact than the controller when it is prepared: its digest says so, and nobody is promoted."""
    version, before, lab = trial.next(), trial.now, trial.lab
    lab.on("h2", "mv /usr/bin/bluegreen /usr/bin/bluegreen.real")
    lab.put("h2", "/usr/bin/bluegreen", "#!/bin/sh\ncase \" $* \" in *\" prepare \"*) echo more >>/var/cache/bluegreen/shop/shop.txt ;; esac\n"
            "exec /usr/bin/bluegreen.real \"$@\"\n")
    lab.on("h2", "chmod 755 /usr/bin/bluegreen")
    run = lab.deploy(version)
    told = trial.failed(run)
    lab.on("h2", "mv /usr/bin/bluegreen.real /usr/bin/bluegreen")
    holds("all serve %s: %s" % (before, told["releases"]), told["releases"] == [before])
    holds("it says that it is another one: %s" % run.text[-3000:], "it may be half uploaded" in run.text and "not prepared on h2," in run.text)
    trial.nothing_waits()
    trial.again(version)
    return told


@scenario
def smoke_fails(trial):
    """The machine says that it is healthy; what is asked from outside after the first promote says otherwise."""
    version, before = trial.next(), trial.now
    smoke = ["-e", json.dumps({"bluegreen_smoke_url": "http://{{ ansible_host }}/", "bluegreen_smoke_says": "another"})]
    run = trial.lab.deploy(version, *smoke)
    told = trial.failed(run)
    holds("all serve %s: %s" % (before, told["releases"]), told["releases"] == [before])
    holds("the second was not promoted: %s" % run.text[-1500:], "not promoted on h1," in run.text)
    smoke = ["-e", json.dumps({"bluegreen_smoke_url": "http://{{ ansible_host }}/", "bluegreen_smoke_says": version})]
    run = trial.lab.deploy(version, *smoke)
    holds("one more run ends with 0: %s" % run.text[-1500:], run.rc == 0)
    trial.one(version)
    return told


@scenario
def off_before(trial):
    version, lab = trial.next(), trial.lab
    lab.machines("off", "h2")
    told = trial.failed(lab.deploy(version), may_lose=8)
    holds("nothing was done: %s" % told["releases"], told["releases"] == [trial.now])
    lab.machines("boot", "h2")
    trial.again(version)
    return told


def in_the_middle(trial, begin, end, **more):
    """The second machine is lost while it is promoted; the first one has the new release by then."""
    version, lab = trial.next(), trial.lab

    def lose(unused):
        threading.Timer(1, lambda: lab.machines(begin, "h2")).start()

    run = lab.deploy(version, on=[("TASK [Promote]", 2, lose)])
    told = trial.failed(run, **more)
    lab.machines(end, "h2")
    # what is not reached is not known: after it came back it may serve either, and the run has said so
    holds("it names the machine: %s" % run.text[-1500:], "not known what serves on h2" in run.text)
    serves = lab.serves()
    told["releases"] = sorted(set(serves.values()) - {None})
    holds("the others serve what they did: %s" % serves, all(serves[h] == trial.now for h in lab.hosts if h != "h2"))
    told["took"] = run.took
    trial.again(version)
    return told


@scenario
def off_in_the_middle(trial):
    return in_the_middle(trial, "off", "boot", may_lose=8)


@scenario
def hole_in_the_middle(trial):
    return in_the_middle(trial, "hole", "heal", may_lose=8)


@scenario
def killed_between_the_phases(trial):
    version = trial.next()
    run = trial.lab.deploy(version, on=[("PLAY [What waits is the same", 1, lambda run: run.kill())])
    told = trial.failed(run)
    holds("nothing was promoted: %s" % told["releases"], told["releases"] == [trial.now])
    trial.again(version)
    return told


@scenario
def killed_in_a_batch(trial):
    version = trial.next()

    def kill(run):
        threading.Timer(1, run.kill).start()

    told = trial.failed(trial.lab.deploy(version, on=[("TASK [Promote]", 2, kill)]))
    # the first has it, the last does not: mixed, and whoever asks is told
    asked = trial.lab.deploy(version, playbook="status")
    holds("the table says mixed with %d: %s" % (asked.rc, asked.text[-1500:]), asked.rc != 0 or len(trial.lab.releases()) == 1)
    trial.again(version)
    return told


@scenario
def killed_then_another(trial):
    """Nothing expires by itself: the next run ends what waits, and brings its own."""
    abandoned, version = trial.next(), trial.next()
    run = trial.lab.deploy(abandoned, on=[("PLAY [What waits is the same", 1, lambda run: run.kill())])
    told = trial.failed(run)
    status = json.loads(trial.lab.on("h1", "bluegreen --app shop status --format json"))
    holds("its age is shown: %s" % status["waits"], status["waits"]["seconds"] is not None)
    trial.again(version)
    return told


@scenario
def two_controllers(trial):
    first, second, lab = trial.next(), trial.next(), trial.lab
    runs = [lab.deploy(version, name="two-%s" % version, wait=False) for version in (first, second)]
    rcs = [run.wait() for run in runs]
    releases = lab.releases()
    holds("both rc 0, and only one can be what serves: %s %s" % (rcs, releases), rcs != [0, 0] or len(releases) == 1)
    winner = [version for version, rc in zip((first, second), rcs) if rc == 0]
    holds("who ended last with 0 is what serves: %s %s" % (rcs, releases), len(releases) != 1 or not winner or releases[0] in winner)
    trial.again(second)
    rc = 0 if 0 in rcs else rcs[0]
    return dict(rc=rc, releases=releases, failed=rc != 0)


@scenario
def taken_back(trial):
    """The whole fleet leaves a release; one machine fails to, which stops the others, and one more run ends it."""
    version, before, lab = trial.next(), trial.now, trial.lab
    trial.fresh(version)
    holds("a release must be named", lab.deploy(version, playbook="rollback", name="unnamed").rc != 0)
    back = ["-e", "bluegreen_release=%s" % version]
    lab.on("h2", "chattr +i /var/lib/bluegreen/shop/route")
    told = trial.failed(lab.deploy(version, *back, playbook="rollback", name="stopped"))
    holds("the first is back, the others are not: %s" % lab.serves(), [*lab.serves().values()][:2] == [before, version])
    lab.on("h2", "chattr -i /var/lib/bluegreen/shop/route")
    for name in ("back", "back-again"):
        run = lab.deploy(version, *back, playbook="rollback", name=name)
        holds("it ends with 0: %s" % run.text[-1500:], run.rc == 0)
        trial.one(before)
    return told


@scenario
def behind(trial):
    """A machine that was down comes back a release behind."""
    version, lab = trial.next(), trial.lab
    last = lab.hosts[-1]
    lab.machines("off", last)
    limited = lab.deploy(version, "--limit", "!%s" % last)
    holds("a run without it ends with 0: %s" % limited.text[-1500:], limited.rc == 0)
    lab.machines("boot", last)
    report = lab.dir / "fleet.json"
    asked = lab.deploy(version, "-e", "bluegreen_report=%s" % report, playbook="status")
    told = trial.failed(asked, may_lose=8)
    fleet = json.loads(report.read_text())
    holds("the table names it: %s" % fleet, [one["host"] for one in fleet["hosts"] if one["behind"]] == [last] or len(lab.hosts) == 2)
    holds("mixed: %s" % fleet["releases"], len(fleet["releases"]) == 2 and not fleet["equal"])
    text = lab.deploy(version, "-e", "bluegreen_format=json", playbook="status", name="json").text
    printed = json.JSONDecoder().raw_decode(text[text.index("\n{\n") + 1:])[0]
    holds("the same is printed: %s" % printed, printed["releases"] == fleet["releases"] and len(printed["hosts"]) == len(lab.hosts))
    trial.again(version)
    return told


@scenario
def killed_in_a_drain(trial):
    """What a killed controller left in `drain`, the next run gives to again."""
    version, lab = trial.next(), trial.lab
    drain = ["-e", json.dumps({"bluegreen_drain": True, "bluegreen_balancer": {
        "host": "balancer", "backend": "web", "socket": str(lab.dir / "admin.sock")}})]
    told = trial.failed(lab.deploy(version, *drain, on=[("TASK [Promote]", 1, lambda run: run.kill())]))
    holds("one is in drain: %s" % lab.servers(), sum(state.startswith("DRAIN") for state in lab.servers().values()) == 1)
    run = lab.deploy(version, *drain)
    holds("it ends with 0: %s" % run.text[-1500:], run.rc == 0)
    holds("all are given to: %s" % lab.servers(), all(state.startswith("UP") for state in lab.servers().values()))
    trial.one(version)
    return told


@scenario
def by_github(trial):
    """The example's workflow: somebody agrees; then nobody does, and what waits is ended."""
    version, unwanted, lab = trial.next(), trial.next(), trial.lab
    runner, before = Runner(lab), trial.now

    def play(rc, said):
        holds("its job ends with 0, not %s: %s" % (rc, said[-3000:]), rc == 0)

    play(*runner.build(version))
    play(*runner.job("prepare", version))
    holds("no traffic moves before somebody agrees: %s" % lab.releases(), lab.releases() == [before])
    play(*runner.job("promote", version))
    trial.one(version)
    play(*runner.build(unwanted))
    play(*runner.job("prepare", unwanted))
    play(*runner.job("abort", unwanted))
    trial.one(version)
    trial.nothing_waits()
    return dict(rc=0, releases=lab.releases(), failed=False)


def set_up(lab):
    config = Path(__file__).resolve().parent / "shop.toml"
    more = ["-e", "bluegreen_app=shop", "-e", "bluegreen_config=%s" % config, "-e", "bluegreen_binary=%s" % lab.bluegreen,
            "-e", "bluegreen_user=shop"]
    run = Run(lab, "setup", ["setup", *more])
    holds("the set-up ends with 0: %s" % run.text[-3000:], run.wait() == 0)
    return run


def times(trial, runs):
    """How long a healthy deploy takes, whole and per machine."""
    whole = []
    for _ in range(runs):
        version = trial.next()
        users = Users(trial.lab)
        run = trial.lab.deploy(version)
        saw = users.leave()
        holds("it ends with 0: %s" % run.text[-1500:], run.rc == 0)
        trial.one(version)
        holds("%d lost: %s" % (saw["lost"], saw["why"]), saw["lost"] == 0)
        whole.append((run.took, saw["requests"]))
    took = sorted(it[0] for it in whole)[runs // 2]
    count = len(trial.lab.hosts)
    say("%s: %d machines, %.1f s (median of %d), %.1f s per machine, %d requests, 0 lost; load %.0f" % (
        datetime.date.today(), count, took, runs, took / count, sum(it[1] for it in whole), os.getloadavg()[0]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("lab")
    parser.add_argument("venv")
    parser.add_argument("bluegreen")
    parser.add_argument("--hosts", type=int, default=3)
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--times", type=int, default=0, metavar="RUNS")
    parser.add_argument("scenario", nargs="*")
    args = parser.parse_intermixed_args()
    names = args.scenario or (["sick_in_prepare"] if args.sample else list(SCENARIOS))
    lab = Lab(args.lab, args.venv, args.bluegreen, 2 if args.sample else args.hosts)
    trial, failed = Trial(lab), []
    try:
        began = time.monotonic()
        lab.up()
        run = set_up(lab)
        say("ok: %d machines are up after %.0f s, and set up after %.0f s more" % (lab.count, time.monotonic() - began - run.took, run.took))
        trial.fresh(trial.next())
        trial.brief = args.sample
        say("ok: the first release is on all %d, rc 0" % lab.count)
        lab.sound()
        if args.times:
            times(trial, args.times)
            names = []
        for name in names:
            try:
                trial.play(name)
            except (Fault, AssertionError) as fault:
                failed.append(name)
                say("FAILED: %s: %s" % (name, fault))
    finally:
        lab.down()
    if failed:
        sys.exit("FAILED: %s" % ", ".join(failed))


if __name__ == "__main__":
    main()
