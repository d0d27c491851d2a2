//! 0.1.0, built from its commit.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};
use bluegreen_rig::say;

const COMMIT: &str = "d1642a65040f9e1d412d9952c29cc03d0ed13f25";

/// Once: what was built stays in the target directory.
pub(super) fn build() -> anyhow::Result<PathBuf> {
    let exe = std::env::current_exe()?;
    let (profile, target) = (exe.parent().context("no directory")?, exe.ancestors().nth(2).context("no target")?);
    let release = profile.file_name().is_some_and(|name| name == "release");
    let home = target.join("adversary-0.1.0");
    let binary = home.join("target").join(if release { "release" } else { "debug" }).join("bluegreen");
    if binary.is_file() {
        return Ok(binary);
    }
    say("building 0.1.0 from its commit: minutes");
    let source = home.join("source");
    fs::create_dir_all(&source)?;
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("no repository")?;
    let archive = home.join("source.tar");
    let git = Command::new("git").current_dir(repository).args(["archive", "-o"]).arg(&archive).arg(COMMIT).status()?;
    ensure!(git.success(), "git has no commit {COMMIT}: a shallow clone?");
    ensure!(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&source).status()?.success(), "tar failed");
    let mut cargo = Command::new("cargo");
    cargo.current_dir(&source).args(["build", "--locked", "--quiet", "-p", "bluegreen-cli"]).stdin(Stdio::null());
    cargo.args(release.then_some("--release")).env("CARGO_TARGET_DIR", home.join("target"));
    ensure!(cargo.status()?.success(), "cargo failed");
    Ok(binary)
}
