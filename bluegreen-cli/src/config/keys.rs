//! The one table of everything that can be written into `bluegreen.toml`.

/// What stands for a key that is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    /// It must be written.
    Required,
    /// Nothing; the text says what that means.
    Unset(&'static str),
    /// This TOML value, where `<app>` and `<state_dir>` stand for those keys.
    Default(&'static str),
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    /// Its dotted path.
    pub(super) name: &'static str,
    /// What stands for it when it is not written.
    pub(super) absent: Absent,
    /// What a person should know.
    pub(super) doc: &'static str,
    /// Something to copy, as TOML.
    pub(super) example: &'static str,
}

const fn required(name: &'static str, example: &'static str, doc: &'static str) -> Key {
    Key { name, absent: Absent::Required, doc, example }
}

const fn default(name: &'static str, value: &'static str, doc: &'static str) -> Key {
    Key { name, absent: Absent::Default(value), doc, example: value }
}

const fn unset(name: &'static str, means: &'static str, example: &'static str, doc: &'static str) -> Key {
    Key { name, absent: Absent::Unset(means), doc, example }
}

/// The smallest configuration that works.
pub const SMALLEST: &str = r#"app = "shop"

[profiles]                           # the two places it runs, and their ports
real1 = 8081
real2 = 8082

[start]
command = ["java", "-jar", "{artifact}", "--server.port={port}"]

[proxy.nginx]
url = "http://127.0.0.1/"            # the front door
"#;

/// Every key, in the order in which a person would write it.
pub(super) const KEYS: &[Key] = &[
    required(
        "app",
        r#""shop""#,
        "The name of the app: a lower-case letter, then lower-case letters, digits or hyphens.",
    ),
    unset("user", "who runs `setup`", r#""deploy""#, "Owns the state and runs the app."),
    default(
        "state_dir",
        r#""/var/lib/bluegreen/<app>""#,
        "Where releases, logs and the state are kept; `setup` makes it.",
    ),
    default("route_dir", r#""<state_dir>/route""#, "What nginx looks at; its workers must be able to search it."),
    default("allow_temporary", "false", "Lets `state_dir` be in a place that a reboot empties (the demo, tests)."),
    required(
        "profiles",
        "{ real1 = 8081, real2 = 8082 }",
        "Exactly two names and their ports. The first deploy goes to the one that nginx does not lead to; the order counts where nginx \
         leads to neither: then to the first one.",
    ),
    required(
        "start.command",
        r#"["java", "-jar", "{artifact}", "--server.port={port}"]"#,
        "Program and arguments; no shell is involved. Takes placeholders.",
    ),
    default("start.env", "{}", "Variables for the app. Values take placeholders."),
    unset(
        "start.env_file",
        "none",
        r#""/etc/shop/env""#,
        "Secrets, as `NAME=value` lines: read at each start, never stored, must not be readable by others.",
    ),
    default(
        "start.pass_env",
        "[]",
        "Variables that the app inherits; the rest is cleared, apart from PATH, HOME, LANG, TZ and USER.",
    ),
    default(
        "start.workdir",
        r#""{shared_dir}""#,
        "Where the app starts. `{shared_dir}` is writable and common to both profiles; releases are read-only.",
    ),
    default("stop.signal", r#""TERM""#, "Asks the app to end: TERM, INT, QUIT, HUP, USR1 or USR2."),
    default(
        "stop.to",
        r#""group""#,
        r#"Who gets the signal: the whole process "group", or the "main" process only. KILL always goes to the group."#,
    ),
    default("stop.grace", r#""30s""#, "How long it may take to end before it is killed."),
    default(
        "health.url",
        r#""http://127.0.0.1:{port}/""#,
        "Asked until it answers well. The host is a loopback address, and each profile has one of its own there, by `{port}`; who answers at it must be the release.",
    ),
    default("health.allow_remote", "false", "Lets `health.url` name another host."),
    default("health.status", r#""200-299""#, r#"The good answers: a status, a range, or several, as "200-299, 401"."#),
    unset(
        "health.body",
        "any body will do",
        r#""{profile}""#,
        r#"What the body must have: a text, { regex = "..." } or { json = { "status" = "UP" } }. Texts take placeholders."#,
    ),
    default("health.healthy_threshold", "2", "Good answers in a row that make a release healthy."),
    default("health.timeout", r#""2s""#, "For one attempt."),
    default("health.deadline", r#""120s""#, "For all attempts."),
    default("health.interval", r#""1s""#, "The longest pause between two attempts; polling starts tight."),
    default(
        "proxy.nginx.mode",
        r#""marker""#,
        r#""marker": the switch is one rename, without a reload. "reload": an include file and `nginx -s reload`, as the scripts do."#,
    ),
    required("proxy.nginx.url", r#""https://shop.example/health""#, "The front door, as users reach it."),
    unset(
        "proxy.nginx.connect",
        "the host of `url`",
        r#""127.0.0.1:443""#,
        "The address to dial; the name in `url` is then used for Host, SNI and certificate.",
    ),
    unset(
        "proxy.nginx.pid_file",
        "the nginx at the front door",
        r#""/run/nginx.pid""#,
        "Which nginx, where several run and this user cannot see whose the front door is.",
    ),
    unset(
        "proxy.nginx.program",
        "the `nginx` in PATH",
        r#""/opt/nginx/sbin/nginx""#,
        "The program of the nginx that runs. Root takes one that only root can change, from a file of root's.",
    ),
    default("proxy.nginx.allow_remote", "false", "Lets `proxy.nginx.url` name another host without `connect`."),
    default(
        "proxy.nginx.service_url_file",
        r#""/etc/nginx/conf.d/service-url.inc""#,
        "Reload mode: the file that nginx includes.",
    ),
    unset(
        "proxy.nginx.install",
        "write and rename",
        r#"["sudo", "-n", "cp", "--preserve=timestamps"]"#,
        "Reload mode: how the new file gets into place when the deploy user may not write there.",
    ),
    default(
        "proxy.nginx.reload",
        r#"["sudo", "-n", "nginx", "-s", "reload"]"#,
        "Reload mode: the command that reloads nginx.",
    ),
    default(
        "proxy.nginx.test",
        r#"["sudo", "-n", "nginx", "-t"]"#,
        "Reload mode: the command that tests its configuration.",
    ),
    default(
        "resolve.kind",
        r#""proxy""#,
        r#"Who says which profile is active: nginx itself ("proxy"), or GET `url` ("http", reload mode only)."#,
    ),
    default(
        "resolve.url",
        r#""http://127.0.0.1/profile""#,
        "With kind \"http\": answers with the active profile's name.",
    ),
    default("resolve.allow_remote", "false", "Lets `resolve.url` name another host."),
    default(
        "after_switch.bake",
        r#""10s""#,
        "How long the new release is watched under real traffic; failing means going back.",
    ),
    default(
        "after_switch.failover",
        r#""bake""#,
        r#"When nginx may fall back to the previous release: "bake", "always" or "never"."#,
    ),
    default(
        "after_switch.previous",
        r#""warm""#,
        r#""warm": it keeps running, for an instant rollback. "stop": it is drained and stopped."#,
    ),
    default(
        "after_switch.settle",
        r#""10s""#,
        "A profile that had traffic is stopped no sooner than this after losing it.",
    ),
    default(
        "after_switch.drain",
        r#""30s""#,
        "How long requests in flight may take before it is stopped all the same.",
    ),
    unset(
        "hook.artifact",
        "`bluegreen hook` takes none",
        r#""build/libs/*.jar""#,
        "For `bluegreen hook`; must match exactly one file.",
    ),
    unset(
        "hooks.before_start",
        "none",
        r#"["./migrate", "{release_dir}"]"#,
        "Runs before anything is stopped. A list, or { command = [...], timeout = \"30s\" }. Takes placeholders.",
    ),
    unset(
        "hooks.before_switch",
        "none",
        r#"["./warm-up", "http://127.0.0.1:{port}/"]"#,
        "Runs when the new release is healthy; when it fails, nothing is switched. Takes placeholders.",
    ),
    unset(
        "hooks.after_switch",
        "none",
        r#"["./tell-the-team", "{version}"]"#,
        "Runs after the deploy; when it fails, that is a warning. Takes placeholders.",
    ),
    unset(
        "hooks.after_failure",
        "none",
        r#"["./wake-somebody"]"#,
        "Runs when a deploy has failed and was taken back; BLUEGREEN_FAILURE says why. It changes no exit code.",
    ),
    default("hooks.timeout", r#""10m""#, "A hook that takes longer is ended, with what it started, and has failed."),
    default(
        "hooks.pass_env",
        "[]",
        "Variables that hooks get of root's environment when root deploys as another user. Counts in a file of root's; a hook that \
         runs as who called it has the caller's environment anyway.",
    ),
    unset(
        "metrics.textfile",
        "none is kept",
        r#""/var/lib/prometheus/node-exporter/bluegreen_shop.prom""#,
        "A file for the textfile collector of node_exporter, written anew after each command that may change something.",
    ),
    unset(
        "access.group",
        "whoever may read the artifact may read the release, and nobody else status and logs",
        r#""www-data""#,
        "The only group that may read releases, as far as the group of the artifact may, and ask `status`, `logs`, `history` and `releases`. It must be one of `user`'s.",
    ),
    default("releases.keep", "5", "How many releases stay; never fewer than are needed to go back."),
];

/// The key of this name.
pub(super) fn key(name: &str) -> &'static Key {
    KEYS.iter().find(|key| key.name == name).unwrap_or_else(|| unreachable!("`{name}` is not in the table"))
}
