//! File systems on loop devices.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use bluegreen_rig::say;

/// What to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Kind {
    Ext4,
    Xfs,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
        }
    }

    /// Why it cannot be tried here.
    pub(super) fn missing(self) -> Option<&'static str> {
        let may_mount = done(Command::new("unshare").args(["--mount", "true"]), "unshare").is_ok();
        if !may_mount || !["/dev/fuse", "/dev/loop-control"].iter().all(|device| Path::new(device).exists()) {
            return Some("needs root that may mount, loop devices and /dev/fuse");
        }
        let there = ["/sbin", "/usr/sbin"].iter().any(|dir| Path::new(dir).join(self.maker()).exists());
        (!there).then_some("its mkfs is not installed")
    }

    /// Makes one in a new file.
    pub(super) fn make(self, image: &Path) -> anyhow::Result<()> {
        let (size, words) = match self {
            Self::Ext4 => (64 << 20, ["-q", "-F"]),
            // smaller ones it does not make
            Self::Xfs => (320 << 20, ["-q", "-f"]),
        };
        fs::File::create_new(image)?.set_len(size)?;
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
        done(Command::new(self.maker()).args(words).arg(image).env("PATH", path), self.maker())
    }

    fn maker(self) -> &'static str {
        match self {
            Self::Ext4 => "mkfs.ext4",
            Self::Xfs => "mkfs.xfs",
        }
    }

    /// Without what helps programs that forget to sync: a flush of what is renamed, and a commit every five seconds.
    fn careless(self) -> &'static str {
        match self {
            Self::Ext4 => "loop,noauto_da_alloc,commit=300",
            Self::Xfs => "loop",
        }
    }

    /// Every cut has the same UUID, and xfs refuses it twice: one that is still held must not fail all after it.
    fn booted(self) -> &'static str {
        match self {
            Self::Ext4 => "loop",
            Self::Xfs => "loop,nouuid",
        }
    }
}

/// A mounted file system, until the value is dropped.
#[derive(Debug)]
pub(super) struct Mounted(PathBuf);

impl Mounted {
    /// As it is used, and without any help for those who forget to sync.
    pub(super) fn in_use(kind: Kind, disk: &Path, at: &Path) -> anyhow::Result<Self> {
        Self::with(kind.careless(), disk, at)
    }

    /// As after a boot: the journal is replayed.
    pub(super) fn after_boot(kind: Kind, disk: &Path, at: &Path) -> anyhow::Result<Self> {
        Self::with(kind.booted(), disk, at)
    }

    fn with(options: &str, disk: &Path, at: &Path) -> anyhow::Result<Self> {
        let mut last = Ok(());
        // somebody else may take the same loop device at the same moment
        for _ in 0..5 {
            last = done(Command::new("mount").args(["-o", options]).arg(disk).arg(at), "mount");
            if last.is_ok() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        last.map(|()| Self(at.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // nginx may look at it in this very moment
        for _ in 0..3000 {
            if done(Command::new("umount").arg(&self.0), "umount").is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        say(&format!("somebody holds {}: it stays mounted until they let go", self.0.display()));
        let _ = done(Command::new("umount").arg("-l").arg(&self.0), "umount");
    }
}

fn done(command: &mut Command, name: &str) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("there is no {name}"))?;
    ensure!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
