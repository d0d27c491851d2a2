//! A machine for one input.

use std::{
    fs::File,
    io::{Read as _, Seek as _},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;

use super::Verdict;

/// Its first process. A view of this machine that nobody else sees, and whose changes are in memory; devices of its own, as
/// root on it must not write to ours.
const BOOT: &str = r#"
set -euo pipefail
dir=/mnt bluegreen=$1 trials=$2; shift 2
mount -t tmpfs -o mode=755 machine "$dir"
mkdir "$dir"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$dir/upper,workdir=$dir/work" "$dir/root"
cd "$dir/root"
mount -t proc proc proc
mount -t tmpfs -o mode=755 dev dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd
mknod -m 666 dev/null c 1 3; mknod -m 666 dev/zero c 1 5; mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8; mknod -m 666 dev/urandom c 1 9; mknod -m 666 dev/tty c 5 0
mount -t tmpfs -o mode=1777 tmp tmp
mount -t tmpfs -o mode=755 run run
for pair in "bluegreen=$bluegreen" "trials=$trials"; do
    : > "usr/local/bin/${pair%%=*}"
    mount --bind "${pair#*=}" "usr/local/bin/${pair%%=*}"
done
mkdir -p .outside
pivot_root . .outside
cd /
umount -l .outside
ip link set lo up
# this shell stays, as pid 1: it buries whom others leave behind
/usr/local/bin/trials adversary "$@" || exit $?
exit 0
"#;

const NAMESPACES: [&str; 7] = ["--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child"];

/// Why there can be no machines here.
pub(super) fn missing() -> Option<&'static str> {
    if !rustix::process::geteuid().is_root() {
        return Some("needs root");
    }
    let script = "mount -t tmpfs t /mnt && cd /mnt && mkdir u w r && ip link set lo up && \
                  mount -t overlay o -o lowerdir=/,upperdir=u,workdir=w r && mknod n c 1 3";
    let tried = Command::new("unshare").args(NAMESPACES).args(["bash", "-c", script]).output();
    let may = tried.is_ok_and(|output| output.status.success());
    let tools = ["nginx", "setpriv", "script", "perl", "flock", "pivot_root"];
    let there =
        |tool: &&str| ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].iter().any(|d| Path::new(d).join(tool).exists());
    match (may, tools.iter().find(|tool| !there(tool))) {
        (false, _) => Some("needs root that may make namespaces, an overlay and device files"),
        (_, Some(_)) => Some("needs nginx, setpriv, script, perl, flock and pivot_root"),
        _ => None,
    }
}

/// Raises a machine with `binary` installed, lets `input` run on it, and takes it down with all that is on it.
pub(super) fn raise(binary: &Path, input: &str, verbose: bool, within: Duration) -> Verdict {
    raised(binary, input, verbose, within).unwrap_or_else(|error| Verdict::Broken(format!("{error:#}")))
}

fn raised(binary: &Path, input: &str, verbose: bool, within: Duration) -> anyhow::Result<Verdict> {
    let (mut out, mut err) = (tempfile::tempfile()?, tempfile::tempfile()?);
    // with us, however we end
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare"]).args(NAMESPACES).args([
        "--propagation",
        "private",
        "bash",
        "-c",
        BOOT,
        "bash",
    ]);
    command.arg(binary.canonicalize()?).arg(std::env::current_exe()?);
    command.args(["--inside", input]).args(verbose.then_some("--verbose"));
    command.stdin(Stdio::null()).stdout(out.try_clone()?).env("RUST_BACKTRACE", "0");
    command.stderr(if verbose { Stdio::inherit() } else { err.try_clone()?.into() });
    let mut child = command.spawn().context("there is no setpriv")?;
    let late = !ends_within(&mut child, within)?;
    let (out, err) = (read(&mut out)?, read(&mut err)?);
    let verdict = out.lines().next_back().and_then(|line| serde_json::from_str(line).ok());
    let tail = || err.lines().rev().take(6).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join(" | ");
    Ok(match verdict {
        Some(verdict) => verdict,
        None if late => Verdict::Broken(format!("not done after {} s", within.as_secs())),
        None => Verdict::Broken(tail()),
    })
}

/// Ends it when it takes longer; the machine's first process dies with it, and all others with that one.
fn ends_within(child: &mut Child, within: Duration) -> anyhow::Result<bool> {
    let began = Instant::now();
    while child.try_wait()?.is_none() {
        if began.elapsed() > within {
            child.kill()?;
            child.wait()?;
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(true)
}

fn read(file: &mut File) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(1 << 20).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
