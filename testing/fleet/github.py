"""A runner of GitHub's: plays the steps of a job of a workflow, with what is a machine of its own there in a directory of its own here."""
import os
import shutil
import stat
import subprocess
from pathlib import Path

import yaml

WORKFLOW = Path(__file__).resolve().parents[2] / "examples/github-actions/fleet.yml"

# ssh asks the system for the home of the user, whatever HOME says
AT_HOME = ["unshare", "-m", "bash", "-c", 'mount --bind "$0" /etc/passwd && exec bash -e "$1"']


class Runner:
    def __init__(self, lab):
        self.lab, self.dir = lab, lab.dir / "github"
        self.jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]
        (self.dir / "bin").mkdir(parents=True)
        # the venv of the trial in place of a new one: there is no registry in the network of the controller
        self.program(self.dir / "bin/python3", '[ "$1 $2" = "-m venv" ]\nln -s "%s" "$3"\n' % lab.venv)
        hosts = "".join("%s ansible_host=%s\n" % (host, lab.address(host)) for host in lab.hosts)
        self.inventory = "[bluegreen]\n%s[bluegreen:vars]\nansible_user=root\nbluegreen_user=shop\nansible_python_interpreter=/usr/bin/python3\n" % hosts
        known = lab.ctl("ssh-keyscan", *(lab.address(host) for host in lab.hosts))
        self.secrets = {
            "${{ secrets.DEPLOY_KEY }}": (lab.dir / "key").read_text(),
            "${{ secrets.DEPLOY_KNOWN_HOSTS }}": subprocess.run(known, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout,
        }

    @staticmethod
    def program(path, text):
        path.write_text("#!/bin/bash\nset -euo pipefail\n" + text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def build(self, version):
        """The job `build` in a checkout, and what it hands on."""
        checkout, handed_on = self.dir / "work", self.dir / "handed-on"
        for old in (checkout, handed_on):
            shutil.rmtree(old, ignore_errors=True)
        (checkout / "deploy").mkdir(parents=True)
        (checkout / "deploy/hosts.ini").write_text(self.inventory)
        shutil.copy(next(self.lab.dir.glob("bluegreen_rs-bluegreen-*.tar.gz")), checkout / "deploy")
        self.program(checkout / "gradlew", "mkdir -p build/libs\necho %s >build/libs/app.jar\necho plain >build/libs/app-plain.jar\n" % version)
        rc, said = self.steps("build", version)
        (checkout / "handed-on").rename(handed_on)
        return rc, said

    def job(self, name, version):
        """Another job: a machine that has nothing but what was handed on."""
        shutil.rmtree(self.dir / "work")
        shutil.copytree(self.dir / "handed-on", self.dir / "work")
        return self.steps(name, version)

    def steps(self, name, version):
        home, said = self.dir / "home", ""
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        passwd = self.dir / "passwd"
        passwd.write_text("root:x:0:0:root:%s:/bin/bash\n" % home)
        for step in self.jobs[name]["steps"]:
            if "uses" in step:
                continue
            script = self.dir / "step.sh"
            script.write_text(step["run"])
            env = {key: self.secrets[value] for key, value in step.get("env", {}).items()}
            env.update(HOME=str(home), PATH="%s:%s" % (self.dir / "bin", os.environ["PATH"]), GITHUB_SHA=version, LC_ALL="C.UTF-8",
                       PIP_DISABLE_PIP_VERSION_CHECK="1")
            ended = subprocess.run(self.lab.ctl(*AT_HOME, str(passwd), str(script)), cwd=self.dir / "work", env=env, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=400)
            said += ended.stdout
            if ended.returncode != 0:
                return ended.returncode, said
        return 0, said
