//! What can be typed.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use bluegreen_core::{Name, Step};
use clap::{
    Args as ClapArgs, Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use clap_complete::Shell;

use bluegreen_lab::app;

use crate::report::{ColorChoice, Format};

/// Blue-green deploys on one Linux machine behind nginx that lose nothing.
#[derive(Debug, Parser)]
#[command(name = "bluegreen", version, max_term_width = 100)]
pub struct Args {
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would replace the program's")]
    pub global: Global,
    #[command(subcommand)]
    #[expect(missing_docs, reason = "its text would replace the program's")]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The app, when its configuration is /etc/bluegreen/APP.toml
    #[arg(long, global = true, value_name = "APP")]
    pub app: Option<Name>,
    /// `human` lines, or `json`: one object per line [default: human]
    #[arg(long, global = true, value_enum, default_value_t, hide_default_value = true, hide_possible_values = true)]
    pub format: Format,
    /// Say only what went wrong
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Every event as JSON on stderr too
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// `auto`, `always` or `never` [default: auto, which honours NO_COLOR]
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value_t,
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub color: ColorChoice,
    /// Agree to what would be asked
    #[arg(long, global = true)]
    pub yes: bool,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// A tour in under a minute on a private nginx; leaves nothing behind
    Demo,
    /// Write a bluegreen.toml from what is found here; asks only on a terminal
    Init(Init),
    /// The one-time nginx part
    Setup(Setup),
    /// Take over a process that somebody else started on a profile's port
    Adopt {
        /// The profile [default: the one with a foreign process]
        profile: Option<String>,
        /// Only this process
        #[arg(long)]
        pid: Option<u32>,
    },
    /// Everything that can make a deploy fail, with the fix for each
    #[command(after_help = "-v shows also what is fine. Exit 3 when a deploy would fail.")]
    Check,
    /// What deploy would do now, and why; changes nothing
    Plan(Plan),
    /// Bring a release to the idle profile and the traffic to it
    Deploy(Deploy),
    /// The first half of a deploy: up to a healthy release without traffic
    Prepare {
        #[command(flatten)]
        #[expect(missing_docs, reason = "its text would replace the command's")]
        release: Release,
        /// Do nothing when this release has the traffic already; with --replace, end what waits all the same
        #[arg(long)]
        if_changed: bool,
    },
    /// The second half: the traffic moves to the prepared release
    Promote {
        /// Only this one: 0 when it has the traffic already, 3 when it is not prepared. An id, the beginning of one, or a version
        release: Option<String>,
        /// Drain and stop the previous release, even if it would be kept warm
        #[arg(long)]
        drain: bool,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its text would replace the command's")]
        run: Run,
    },
    /// End what was prepared
    Abort {
        /// Only this one; 0 when it does not wait. An id, the beginning of one, or a version
        release: Option<String>,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its text would replace the command's")]
        run: Run,
    },
    /// Only free the idle profile (as stop.sh)
    Stop(Release),
    /// Up to a running release on the idle profile (as start.sh)
    Start(Release),
    /// Up to a healthy release on the idle profile (as health.sh)
    Health(Release),
    /// The rest of the way: move the traffic, bake, retire the old release (as switch.sh)
    Switch(Release),
    /// Print the name of the idle profile (as profile.sh)
    Profile {
        /// Its port instead
        #[arg(long)]
        port: bool,
        /// The active profile instead
        #[arg(long)]
        active: bool,
    },
    /// For AWS CodeDeploy: does what $LIFECYCLE_EVENT asks for
    Hook,
    /// Go back to the last confirmed release, or to RELEASE
    Rollback {
        /// An id, the beginning of one, or a version
        release: Option<String>,
        /// Only when this one has the traffic; 0 when it has not. An id, the beginning of one, or a version
        #[arg(long, value_name = "ID")]
        if_release: Option<String>,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its text would replace the command's")]
        run: Run,
    },
    /// What runs where, and who gets the traffic
    Status {
        /// Go on as it changes, until Ctrl-C
        #[arg(short, long)]
        watch: bool,
    },
    /// What was done
    History {
        /// So many entries, the newest last
        #[arg(short = 'n', long, default_value_t = 20)]
        last: usize,
        #[command(subcommand)]
        #[expect(missing_docs, reason = "its text would replace the command's")]
        action: Option<HistoryAction>,
    },
    /// The app's output
    Logs {
        /// The profile [default: the active one]
        profile: Option<String>,
        /// Go on as it grows, also across a switch
        #[arg(short, long)]
        follow: bool,
        /// So many lines
        #[arg(short = 'n', long, default_value_t = 50)]
        lines: usize,
    },
    /// The releases that are kept
    Releases {
        #[command(subcommand)]
        #[expect(missing_docs, reason = "its text would replace the command's")]
        action: Option<ReleasesAction>,
    },
    /// Metrics in the text format of Prometheus
    Metrics {
        /// Into the file that the configuration names, instead of printing them
        #[arg(long)]
        write: bool,
    },
    /// Bring what a crash left to a safe state with a name
    Recover,
    /// Start what should run, after a reboot
    Up,
    /// The configuration in effect, with the origin of each value
    Config,
    /// A completion script
    Completions {
        /// For which shell
        shell: Shell,
    },
    /// The manual page
    Man,
    /// The app of the demo
    #[command(name = "__app", hide = true)]
    App(app::Options),
}

/// `init`. `--app` names the app, `--config` the file, `--yes` takes every answer.
#[derive(Debug, Clone, ClapArgs)]
pub struct Init {
    /// What is deployed: a jar, a program, a script or a directory [default: what is found here]
    #[arg(long, value_name = "PATH")]
    pub artifact: Option<PathBuf>,
    /// The first port
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port1: Option<u16>,
    /// The second port
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port2: Option<u16>,
    /// The path of the app's health page
    #[arg(long, value_name = "PATH")]
    pub health: Option<String>,
    /// The front door, as users reach the app through nginx
    #[arg(long)]
    pub url: Option<String>,
    /// The address to dial for the name in --url
    #[arg(long, value_name = "ADDRESS", requires = "url")]
    pub connect: Option<SocketAddr>,
    /// Who owns the state and runs the app
    #[arg(long)]
    pub user: Option<String>,
    /// Where the state is kept
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Let the state be where a reboot empties it
    #[arg(long)]
    pub allow_temporary: bool,
    /// The pid file of the nginx that is meant, where several run
    #[arg(long, value_name = "FILE")]
    pub pid_file: Option<PathBuf>,
    /// Print the text, write nothing, ask nothing
    #[arg(long)]
    pub print: bool,
    /// Overwrite what is there
    #[arg(long)]
    pub force: bool,
    /// Program and arguments that start the app, after `--`
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// What to deploy.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct Release {
    /// A file or a directory [default: the command alone is the release]
    pub artifact: Option<PathBuf>,
    /// What people call it
    #[arg(long, value_name = "V")]
    pub version: Option<String>,
    /// The SHA-256 that the artifact must have
    #[arg(long, value_name = "D")]
    pub sha256: Option<String>,
    /// Abandon another release that was prepared
    #[arg(long)]
    pub replace: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would replace the command's")]
    pub run: Run,
}

/// How to run.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct Run {
    /// Wait while somebody else deploys
    #[arg(long)]
    pub wait: bool,
    /// Take it back when it has not ended after this time, as 90s or 5m
    #[arg(long, value_name = "D", value_parser = crate::config::parse_duration)]
    pub deadline: Option<Duration>,
}

/// `deploy`
#[derive(Debug, Clone, ClapArgs)]
pub struct Deploy {
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would replace the command's")]
    pub release: Release,
    /// Do nothing when this release has the traffic already
    #[arg(long)]
    pub if_changed: bool,
    /// The two releases cannot live side by side: no failover, no warm rollback
    #[arg(long)]
    pub breaking: bool,
    /// Rest when this is true: stop, start, health, switch, bake or retire
    #[arg(long, value_name = "STEP", value_parser = step(), hide_possible_values = true)]
    pub until: Option<Step>,
}

/// A [`Step`] by its word.
fn step() -> impl TypedValueParser<Value = Step> {
    let named = |word: String| Step::ALL.into_iter().find(|step| step.word() == word).unwrap_or(Step::Retire);
    PossibleValuesParser::new(Step::ALL.map(Step::word)).map(named)
}

/// `setup`
#[derive(Debug, Clone, ClapArgs)]
pub struct Setup {
    #[command(flatten)]
    #[expect(missing_docs, reason = "its text would replace the command's")]
    pub what: SetupWhat,
    /// The file with the app's server block, when it is not plain which one that is
    #[arg(long, value_name = "FILE")]
    pub site: Option<PathBuf>,
    /// Where our own files go [default: beside nginx's main configuration file, as /etc/nginx]
    #[arg(long, value_name = "DIR")]
    pub nginx_dir: Option<PathBuf>,
    /// A word of the command that nginx is called with; again for each further word [default: as the one that runs]
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    pub nginx: Vec<String>,
}

/// What `setup` shall do.
#[derive(Debug, Clone, ClapArgs)]
#[group(required = true, multiple = false)]
pub struct SetupWhat {
    /// Print this part of the snippet, and nothing else
    #[arg(long, value_name = "PART", value_enum)]
    pub print: Option<Part>,
    /// Write the files, test, reload once, prove; undone when nginx refuses
    #[arg(long)]
    pub apply: bool,
    /// Say what differs
    #[arg(long)]
    pub check: bool,
    /// Go back to a plain proxy_pass to the active port
    #[arg(long)]
    pub remove: bool,
}

/// A part of the snippet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// For the http level.
    Http,
    /// The first line of the server block.
    Server,
    /// In the app's location.
    Location,
}

/// `plan`
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct Plan {
    /// A file or a directory [default: the command alone is the release]
    pub artifact: Option<PathBuf>,
    /// What people call it
    #[arg(long, value_name = "V")]
    pub version: Option<String>,
    /// As if another release that was prepared were abandoned
    #[arg(long)]
    pub replace: bool,
}

/// `history`
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum HistoryAction {
    /// One deploy: its timeline, and why it failed if it did
    Show {
        /// Its number, a version, or the beginning of a release's id [default: the last one]
        id: Option<String>,
        /// Write a page for a browser to FILE, `-` is standard output [default: APP-deploy-NUMBER.html]
        #[arg(long, value_name = "FILE")]
        html: Option<Option<PathBuf>>,
    },
}

/// `releases`
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum ReleasesAction {
    /// Remove all but the newest and those that are needed
    Prune,
    /// Never remove this one
    Pin {
        /// An id, the beginning of one, or a version
        release: String,
    },
    /// Let it be removed again
    Unpin {
        /// An id, the beginning of one, or a version
        release: String,
    },
}
