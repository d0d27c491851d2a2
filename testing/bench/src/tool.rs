//! `bluegreen` itself, in either mode, used as its contract says.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use bluegreen_core::{Profile, Profiles, Route};
use bluegreen_lab::nginx::Site;
use bluegreen_nginx::RouteDir;

use crate::{Bed, Contender};

/// Looks for the `bluegreen` binary beside the running program.
pub fn find() -> Option<PathBuf> {
    let beside = env::current_exe().ok()?.with_file_name("bluegreen");
    beside.is_file().then_some(beside)
}

#[derive(Debug)]
pub(crate) struct Tool {
    bed: Bed,
    bluegreen: PathBuf,
}

impl Tool {
    pub(crate) fn set_up(bed: Bed, bluegreen: &Path, marker: bool, settle: Duration) -> Result<Self> {
        let include = bed.path("service-url.inc");
        fs::create_dir(bed.path("state"))?;
        fs::write(bed.path("bluegreen.toml"), configuration(&bed, marker, settle))?;
        let tool = Self { bed, bluegreen: bluegreen.to_owned() };
        let site = if marker {
            lay_route(&tool.bed)?;
            Site { http: tool.print("http")?, server: tool.print("server")?, location: tool.print("location")? }
        } else {
            fs::write(&include, format!("set $service_url http://127.0.0.1:{};\n", tool.bed.ports[1]))?;
            Site::article(&include)
        };
        tool.bed.nginx.write(&site)?;
        tool.bed.nginx.reload()?;
        Ok(tool)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.bluegreen);
        command.arg("--config").arg(self.bed.path("bluegreen.toml")).args(arguments);
        command
    }

    /// One part of the nginx configuration, as `setup --print` gives it.
    fn print(&self, part: &str) -> Result<String> {
        let output = self.command(&["setup", "--print", part]).output().context("cannot run bluegreen")?;
        if !output.status.success() {
            bail!("`bluegreen setup --print {part}`: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

impl Contender for Tool {
    fn bed(&self) -> &Bed {
        &self.bed
    }

    fn deploy(&self, version: &str) -> Result<Vec<Command>> {
        let artifact = self.bed.path(version);
        self.bed.build(version, &artifact)?;
        let mut deploy = self.command(&["--format", "json", "deploy", "--version", version]);
        deploy.arg(artifact);
        Ok(vec![deploy])
    }

    fn rollback(&self) -> Vec<Command> {
        vec![self.command(&["--format", "json", "rollback"])]
    }

    fn switch_time(&self, output: &str) -> Option<Duration> {
        let mut events = output.lines().rev().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let finished = events.find(|event| event["event"] == "finished")?;
        finished["receipt"]["switch_us"].as_u64().map(Duration::from_micros)
    }
}

/// The whole of `bluegreen.toml`; strings and lists of JSON are those of TOML as well.
fn configuration(bed: &Bed, marker: bool, settle: Duration) -> String {
    let list = |words: Vec<String>| serde_json::json!(words).to_string();
    let text = |path: PathBuf| serde_json::json!(path).to_string();
    let placeholders = ["--artifact", "{artifact}", "--profile", "{profile}", "--port", "{port}"];
    let command = [bed.app(), placeholders.map(String::from).into()].concat();
    let mode = if marker {
        "mode = \"marker\"\n".to_owned()
    } else {
        format!(
            "mode = \"reload\"\nservice_url_file = {}\nreload = {}\ntest = {}\n",
            text(bed.path("service-url.inc")),
            list(bed.nginx.with(&["-s", "reload"])),
            list(bed.nginx.with(&["-t"])),
        )
    };
    format!(
        "app = \"bench\"\nstate_dir = {}\nroute_dir = {}\nallow_temporary = true\n\
         [profiles]\nreal1 = {}\nreal2 = {}\n[start]\ncommand = {}\n\
         [health]\nurl = \"http://127.0.0.1:{{port}}/profile\"\nbody = \"{{profile}}\"\n\
         [proxy.nginx]\nurl = \"{}\"\n{mode}\
         [after_switch]\nbake = \"0s\"\nprevious = \"warm\"\nsettle = \"{}ms\"\n",
        text(bed.path("state")),
        text(bed.path("route")),
        bed.ports[0],
        bed.ports[1],
        list(command),
        bed.nginx.url("/"),
        settle.as_millis(),
    )
}

/// The route directory as `bluegreen setup` makes it, on `real2`: the first deploy goes to `real1`.
fn lay_route(bed: &Bed) -> Result<()> {
    let profile = |name: &str, port| anyhow::Ok(Profile::new(name.parse()?, port)?);
    let [first, second] = bed.ports;
    let profiles = Profiles::new(profile("real1", first)?, profile("real2", second)?)?;
    let route = RouteDir::new(bed.path("route"), profiles.clone())?;
    route.create()?;
    Ok(route.point(&Route::solo(profiles.second().clone()))?)
}
