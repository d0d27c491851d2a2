//! The five scripts of the seed article.

use std::{fs, process::Command, time::Duration};

use anyhow::Result;
use bluegreen_lab::nginx::Site;

use crate::{Bed, Contender};

/// `testing/bench/scripts`, where each adaptation is marked.
const SCRIPTS: [(&str, &str); 5] = [
    ("profile.sh", include_str!("../scripts/profile.sh")),
    ("stop.sh", include_str!("../scripts/stop.sh")),
    ("start.sh", include_str!("../scripts/start.sh")),
    ("health.sh", include_str!("../scripts/health.sh")),
    ("switch.sh", include_str!("../scripts/switch.sh")),
];

#[derive(Debug)]
pub(crate) struct Scripts {
    bed: Bed,
}

impl Scripts {
    pub(crate) fn set_up(bed: Bed) -> Result<Self> {
        for (name, text) in SCRIPTS {
            fs::write(bed.path(name), text)?;
        }
        fs::create_dir(bed.path("zip"))?;
        let include = bed.path("service-url.inc");
        fs::write(&include, format!("set $service_url http://127.0.0.1:{};\n", bed.ports[1]))?;
        bed.nginx.write(&Site::article(&include))?;
        bed.nginx.reload()?;
        Ok(Self { bed })
    }

    fn bash(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("bash");
        command
            .args(arguments)
            .current_dir(self.bed.path(""))
            .env("BENCH_FRONT", self.bed.nginx.url(""))
            .env("BENCH_PORT1", self.bed.ports[0].to_string())
            .env("BENCH_PORT2", self.bed.ports[1].to_string())
            .env("BENCH_REPOSITORY", self.bed.path("."))
            .env("BENCH_APP", self.bed.app().join(" "))
            .env("BENCH_INCLUDE", self.bed.path("service-url.inc"))
            .env("BENCH_RELOAD", self.bed.nginx.with(&["-s", "reload"]).join(" "));
        command
    }
}

impl Contender for Scripts {
    fn bed(&self) -> &Bed {
        &self.bed
    }

    fn deploy(&self, version: &str) -> Result<Vec<Command>> {
        // What CodeDeploy does before the first hook: the directory holds the new build and nothing else.
        let zip = self.bed.path("zip");
        fs::remove_dir_all(&zip)?;
        fs::create_dir(&zip)?;
        self.bed.build(version, &zip.join(format!("{version}.jar")))?;
        Ok(["./stop.sh", "./start.sh", "./health.sh"].map(|script| self.bash(&[script])).into())
    }

    fn rollback(&self) -> Vec<Command> {
        vec![self.bash(&["-c", "source ./switch.sh && switch_proxy", "./switch.sh"])]
    }

    fn switch_time(&self, output: &str) -> Option<Duration> {
        let line = output.lines().find_map(|line| line.strip_prefix("switch_us "))?;
        line.parse().ok().map(Duration::from_micros)
    }
}
