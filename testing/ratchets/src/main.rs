//! Three figures of the source that may only fall: the largest circle of files that import each other, the lines of code, and the
//! packages of others that the product is built from. `limits.toml` holds what they may be; `--lower` writes there what they are.

mod circles;
mod lines;
mod source;

use std::{collections::BTreeSet, env, fs, path::Path, process::Command};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use source::Package;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Figures {
    /// Files of the largest circle of imports.
    largest_circle: usize,
    /// Lines with code of the product's packages, without their tests.
    code_lines: usize,
    /// Packages of others that the program is built from.
    dependencies: usize,
}

impl Figures {
    fn named(self) -> [(&'static str, usize); 3] {
        [("largest-circle", self.largest_circle), ("code-lines", self.code_lines), ("dependencies", self.dependencies)]
    }
}

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let limits = root.join("testing/ratchets/limits.toml");
    let packages = product(&root)?;
    let mut circles: Vec<Vec<String>> = packages.iter().flat_map(circles::of).collect();
    circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
    let mut code_lines = 0;
    for package in &packages {
        let lines: usize = package.files().map(lines::of_code).sum();
        println!("{:24} {lines} lines of code", package.name);
        code_lines += lines;
    }
    for circle in &circles {
        println!("a circle of {} files: {}", circle.len(), circle.join(", "));
    }
    let largest_circle = circles.first().map_or(1, Vec::len);
    let now = Figures { largest_circle, code_lines, dependencies: dependencies(&root)? };
    match env::args().nth(1).as_deref() {
        Some("--lower") => Ok(fs::write(&limits, toml::to_string(&now)?)?),
        Some(other) => bail!("{other:?} is no option: --lower writes the figures of today into {}", limits.display()),
        None => hold(now, toml::from_str(&fs::read_to_string(&limits)?)?),
    }
}

fn hold(now: Figures, limit: Figures) -> Result<()> {
    let mut over = Vec::new();
    for ((name, now), (_, limit)) in now.named().into_iter().zip(limit.named()) {
        println!("{name:24} {now} of {limit}");
        if now > limit {
            over.push(format!("{name} rose from {limit} to {now}"));
        }
    }
    ensure!(over.is_empty(), "{}", over.join("; "));
    Ok(())
}

/// The packages that ship: those whose directories stand at the top and bear the name.
fn product(root: &Path) -> Result<Vec<Package>> {
    let entries = fs::read_dir(root)?.collect::<Result<Vec<_>, _>>()?;
    let mut names: Vec<String> = entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.starts_with("bluegreen") && root.join(name).join("Cargo.toml").is_file());
    names.sort();
    names.into_iter().map(|name| Package::read(root, name)).collect()
}

fn dependencies(root: &Path) -> Result<usize> {
    let words = ["tree", "--locked", "-p", "bluegreen-cli", "-e", "normal", "--prefix", "none", "--format", "{p}"];
    let tree = Command::new("cargo").args(words).current_dir(root).output().context("cargo tree")?;
    ensure!(tree.status.success(), "cargo tree: {}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout)?;
    let packages: BTreeSet<&str> = text.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    Ok(packages.iter().filter(|name| !name.starts_with("bluegreen")).count())
}
