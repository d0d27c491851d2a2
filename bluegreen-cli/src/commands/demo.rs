//! `demo`: the whole way, on a private nginx that goes away again.

use std::{
    ffi::OsStr,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use bluegreen_lab::{
    Tally,
    load::{Load, Running},
    nginx::{Nginx, Site},
};
use tokio::process::Command;

use super::{Exit, Format, Global, Halt};
use crate::{
    documents::{self, SCHEMA},
    output,
    report::{Paint, as_typed, stdout_paint},
    signals::Signals,
};

/// Clients that ask all the while.
const CLIENTS: usize = 20;
/// How long the load goes on by itself between two acts.
const PAUSE: Duration = Duration::from_secs(1);

/// The stage.
struct Stage {
    home: tempfile::TempDir,
    nginx: Nginx,
    paint: Paint,
    global: Global,
}

pub(super) async fn run(global: &Global) -> Result<Exit, Halt> {
    let Some(binary) = Nginx::find() else {
        return Err(Halt::new(Exit::Refused, "the demo needs nginx, and there is none in PATH or /usr/sbin")
            .next("sudo apt-get install nginx-light"));
    };
    let began = Instant::now();
    let stage = tokio::task::block_in_place(|| Stage::set(&binary, global)).map_err(failed)?;
    // Ctrl-C must not leave the nginx and the apps behind
    let signals = Signals::listen(async {}).map_err(failed)?;
    let played = signals.or_asked(stage.play()).await;
    let cleared = stage.clear().await;
    let exit = played?;
    cleared.map_err(failed)?;
    if global.format == Format::Human {
        output::line(stage_end(stdout_paint(global.color), began.elapsed()));
    }
    Ok(exit)
}

fn stage_end(paint: Paint, took: Duration) -> String {
    let took = took.as_secs_f64();
    let end = paint.dim(format!("{took:.0} s in all; the private nginx, the apps and their files are gone"));
    format!("{end}\nThe commands above were for them alone. Your own app: {}", as_typed("`bluegreen init`"))
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
fn failed(error: io::Error) -> Halt {
    Halt::error(Exit::Internal, &error)
}

impl Stage {
    /// A private nginx with the snippet in it, and a configuration for it. Needs no rights.
    fn set(binary: &Path, global: &Global) -> io::Result<Self> {
        let home = tempfile::Builder::new().prefix("bluegreen-demo.").tempdir()?;
        // nginx's workers may be another user
        fs::set_permissions(home.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        let nginx = Nginx::start(binary, &Site::default())?;
        let stage = Self { home, nginx, paint: stdout_paint(global.color), global: global.clone() };
        fs::create_dir(stage.path("state"))?;
        let (first, second) = (bluegreen_process::free_port()?, bluegreen_process::free_port()?);
        fs::write(stage.path("bluegreen.toml"), stage.configuration(first, second, &std::env::current_exe()?))?;
        for (file, text) in [("app-v1", "v1"), ("app-v2", "v2"), ("app-v3", "v3 errors")] {
            fs::write(stage.path(file), text)?;
        }
        Ok(stage)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn configuration(&self, first: u16, second: u16, program: &Path) -> String {
        format!(
            r#"app = "demo"
state_dir = "{state}"
allow_temporary = true
[profiles]
real1 = {first}
real2 = {second}
[start]
command = ["{program}", "__app", "--port", "{{port}}", "--profile", "{{profile}}", "--artifact", "{{artifact}}", "--boot-ms", "700"]
[health]
url = "http://127.0.0.1:{{port}}/profile"
body = "{{profile}}"
deadline = "4s"
[proxy.nginx]
url = "http://{address}/profile"
[after_switch]
bake = "2s"
settle = "1s"
"#,
            state = self.path("state").display(),
            program = program.display(),
            address = self.nginx.address(),
        )
    }

    async fn play(&self) -> Result<Exit, Halt> {
        self.say("A private nginx, and a tiny app in two versions. The set-up, then a deploy:");
        self.set_up().await?;
        self.act(&["deploy", "app-v1", "--version", "v1"], 0).await?;

        let load = Load { clients: CLIENTS, ..Load::new(self.address()) }.start();
        tokio::time::sleep(PAUSE).await;
        self.say(&format!("Now {CLIENTS} clients ask without a pause, GET and POST, keep-alive. A deploy:"));
        self.act(&["deploy", "app-v2", "--version", "v2"], 0).await?;
        self.say("Second thoughts about v2. v1 is still warm, so going back is one rename:");
        self.act(&["rollback"], 0).await?;
        self.say("A release that answers 500. It gets no traffic:");
        self.act(&["deploy", "app-v3", "--version", "v3"], Exit::Unhealthy.code()).await?;
        tokio::time::sleep(PAUSE).await;
        Ok(self.count(load).await)
    }

    /// What `setup --print` says, put where it belongs.
    async fn set_up(&self) -> Result<(), Halt> {
        let mut parts = Vec::new();
        for part in ["http", "server", "location"] {
            let output = self.command(["setup", "--print", part]).output().await.map_err(failed)?;
            parts.push(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let [http, server, location] = parts.try_into().expect("three parts");
        let site = Site { http, server, location };
        let config = crate::config::Config::load(&crate::config::Lookup {
            config: Some(self.path("bluegreen.toml")),
            ..crate::config::Lookup::default()
        });
        let config = config.map_err(|error| Halt::mistake(&error, false))?;
        let route = crate::wiring::route_dir(&config)?;
        let begin = route.create().and_then(|()| {
            // nothing runs yet, so the first deploy shall go to the first profile
            route.point(&bluegreen_core::Route::solo(config.profiles.second().clone()))
        });
        begin.map_err(|error| Halt::error(Exit::Internal, &error))?;
        let reloaded = tokio::task::block_in_place(|| self.nginx.write(&site).and_then(|()| self.nginx.reload()));
        reloaded.map_err(failed)
    }

    fn address(&self) -> SocketAddr {
        self.nginx.address()
    }

    fn command<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, words: I) -> Command {
        command(self.home.path(), words)
    }

    /// One command, shown as it is typed. It must end as expected, or the demo has failed.
    async fn act(&self, words: &[&str], expected: u8) -> Result<(), Halt> {
        self.tell(self.paint.strong(format!("$ bluegreen {}", words.join(" "))));
        let color = if self.paint.0 { "always" } else { "never" };
        let mut command = self.command(words);
        if self.global.quiet {
            command.arg("--quiet");
        }
        if self.global.format == Format::Json {
            command.args(["--format", "json"]);
        }
        let status = command.args(["--color", color]).status().await.map_err(failed)?;
        self.tell("");
        if status.code() == Some(expected.into()) {
            return Ok(());
        }
        let log = self.nginx.log();
        let mut halt = Halt::new(Exit::Internal, format!("`bluegreen {}` ended with {status}", words.join(" ")));
        halt.trouble.log = log.lines().rev().take(10).map(ToOwned::to_owned).collect();
        Err(halt)
    }

    async fn count(&self, load: Running) -> Exit {
        let tally: Tally = load.stop().await;
        let releases = tally.by_release();
        let by: Vec<String> = releases.iter().map(|(release, count)| format!("{count} by {release}")).collect();
        let total = tally.answered() + tally.lost();
        let text = format!("{total} requests of {CLIENTS} clients through all of this: {} lost", tally.lost());
        self.tell(if tally.lost() == 0 { self.paint.good(text) } else { self.paint.bad(text) });
        self.tell(format!("answered {}", by.join(", ")));
        if self.global.format == Format::Json {
            output::json(&documents::Demo { schema: SCHEMA, requests: total, lost: tally.lost() });
        }
        if tally.lost() == 0 { Exit::Done } else { Exit::Internal }
    }

    fn say(&self, text: &str) {
        self.tell(self.paint.dim(format!("# {text}")));
    }

    /// A line for people.
    fn tell(&self, text: impl std::fmt::Display) {
        if self.global.format == Format::Human {
            output::line(text);
        }
    }

    /// Ends what runs; the directory and nginx go with the value.
    async fn clear(&self) -> io::Result<()> {
        let lookup = crate::config::Lookup { config: Some(self.path("bluegreen.toml")), ..Default::default() };
        let Ok(config) = crate::config::Config::load(&lookup) else { return Ok(()) };
        let Ok(wired) = crate::wiring::wire(&config, bluegreen_core::Events::default(), crate::trust::Purpose::Rest)
        else {
            return Ok(());
        };
        for profile in config.profiles.both() {
            let manager: &dyn bluegreen_core::ProcessManager = &wired.processes;
            if let Ok(occupant) = manager.inspect(profile).await
                && let Some(process) = occupant.ours()
            {
                manager.stop(profile, process, Duration::from_secs(5)).await.map_err(io::Error::other)?;
            }
        }
        Ok(())
    }
}

/// This program, at work on the configuration in `home`. That is not named by an option: what is would be named again in what
/// the command says to type.
fn command<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(home: &Path, words: I) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.args(words).env("BLUEGREEN_CONFIG", home.join("bluegreen.toml"));
    command.current_dir(home).stdin(Stdio::null()).kill_on_drop(true);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `bluegreen --config /tmp/bluegreen-demo.X/bluegreen.toml logs real2` would be about a file that is gone.
    #[test]
    fn what_is_said_to_type_names_nothing_that_goes_away() {
        let command = command(Path::new("/tmp/bluegreen-demo.X"), ["deploy", "app-v3"]);
        let words: Vec<_> = command.as_std().get_args().collect();
        assert_eq!(words, ["deploy", "app-v3"]);
        let end = stage_end(Paint(false), Duration::from_secs(22));
        assert!(end.contains("The commands above were for them alone.") && end.contains("`bluegreen init`"), "{end}");
    }
}
