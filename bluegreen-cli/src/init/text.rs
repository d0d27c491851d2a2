//! A draft as the text of `bluegreen.toml`.

use std::fmt::Write as _;

use super::draft::Draft;

/// Where comments begin.
const COLUMN: usize = 36;

impl Draft {
    /// The text. Values are TOML whatever is in them.
    pub(crate) fn to_toml(&self) -> String {
        let mut out = String::new();
        let mut line = |text: String, comment: &str| {
            let text = if comment.is_empty() { text } else { format!("{text:<COLUMN$} # {comment}") };
            let _ = writeln!(out, "{}", text.trim_end());
        };
        line(
            "# Written by `bluegreen init`. Every other key has a default: `bluegreen config` shows all of them."
                .into(),
            "",
        );
        line(format!("app = {}", quoted(&self.app)), "");
        match &self.user {
            Some(user) => line(format!("user = {}", quoted(user)), "owns the state and runs the app"),
            None => line("# user = \"deploy\"".into(), "owns the state and runs the app; as it is: who runs `setup`"),
        }
        if let Some(dir) = &self.state_dir {
            line(format!("state_dir = {}", quoted(&dir.display().to_string())), "");
        }
        if self.allow_temporary {
            line("allow_temporary = true".into(), "the state may be gone after a reboot");
        }
        line("\n[profiles]".into(), "");
        let [(first, port), (second, other)] = &self.profiles;
        line(format!("{first} = {port}"), "the two places it runs, and their ports;");
        line(format!("{second} = {other}"), "a deploy goes to the one without traffic");
        line("\n[start]".into(), "");
        let placeholders = "{port} {profile} {artifact} {version} and others are filled in; no shell is involved";
        line(format!("# {placeholders}"), "");
        line(format!("command = {}", list(&self.command)), "");
        if !self.env.is_empty() {
            let pairs: Vec<String> =
                self.env.iter().map(|(name, value)| format!("{name} = {}", quoted(value))).collect();
            line(format!("env = {{ {} }}", pairs.join(", ")), "");
        }
        line("# env_file = \"/etc/shop/env\"".replace("shop", &self.app), "secrets: read at each start, never stored");
        line("\n[health]".into(), "");
        match &self.health {
            Some(path) => line(format!("url = {}", quoted(&format!("http://127.0.0.1:{{port}}{path}"))), ""),
            None => line(
                r#"# url = "http://127.0.0.1:{port}/health""#.into(),
                "asked until it answers 200-299; as it is: /",
            ),
        }
        if let Some(body) = self.body {
            line(format!("body = {}", quoted(body)), "what the answer must contain");
        }
        line("# deadline = \"120s\"".into(), "longer than it ever takes to start");
        self.around(&mut line);
        out
    }

    /// What stands between the app and others.
    fn around(&self, line: &mut dyn FnMut(String, &str)) {
        line("\n[proxy.nginx]".into(), "");
        line(format!("url = {}", quoted(&self.url)), "the front door, as users reach this app");
        if let Some(connect) = &self.connect {
            line(format!("connect = {}", quoted(connect)), "what to dial for that name");
        }
        if let Some(file) = &self.pid_file {
            line(format!("pid_file = {}", quoted(&file.display().to_string())), "which nginx, where several run");
        }
        line("\n[access]".into(), "");
        let closes = "who else may read new releases and logs;";
        let key = |group: &str| format!("group = {}", quoted(group));
        line(self.group.as_deref().map_or_else(|| format!("# {}", key(&self.app)), key), closes);
        line("# without it, whoever may read an artifact may read its release. A server that serves files".into(), "");
        line(
            "# from a release, as nginx does with `root` or `alias`, has to be in this group, or take the line out"
                .into(),
            "",
        );
        if let Some(pattern) = &self.pattern {
            line("\n[hook]".into(), "");
            line(format!("artifact = {}", quoted(pattern)), "for `bluegreen hook`; exactly one file");
        }
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// On one line where it fits.
fn list(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    let one = format!("[{}]", words.join(", "));
    if one.len() <= 100 { one } else { format!("[\n    {},\n]", words.join(",\n    ")) }
}
