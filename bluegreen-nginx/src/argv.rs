//! Commands of others: argv only, never a shell, never a prompt, bounded.

use std::time::Duration;

use bluegreen_core::took;
use bluegreen_linux::program::{Program, RunError, find, find_for_root};

use crate::text::one_line;

/// The longest that a command may take. A large configuration is parsed in seconds.
const WITHIN: Duration = Duration::from_secs(30);

/// What `nginx -t` prints once it has read all of the configuration, and has yet to open files, keys and sockets.
const SYNTAX_IS_OK: &str = "syntax is ok";

/// Runs `argv` and returns what it printed. The error is one line that says what went wrong.
pub(crate) async fn run(argv: &[String]) -> Result<String, Failed> {
    let found = argv.first().and_then(find).map(|file| file.to_string_lossy().into_owned());
    let words = found.iter().chain(argv.iter().skip(usize::from(found.is_some())));
    // the words that are looked for below
    let said = Program::new(words).with([("LC_ALL", "C")]).run(WITHIN).await.map_err(|error| match error {
        RunError::Late => Failed::Late(argv.join(" ")),
        RunError::NotRun(why) => Failed::Said(why),
        error => Failed::Said(format!("`{}`: {error}", argv.join(" "))),
    })?;
    let text = said.out + &said.err;
    if said.status.success() { Ok(text) } else { Err(Failed::Said(complaint(argv, &text, &said.status.to_string()))) }
}

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) enum Failed {
    /// It said no, or could not be run.
    Said(String),
    /// It was ended after 30 s, and may have done its work or not.
    Late(String),
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Said(text) => f.write_str(text),
            Self::Late(command) => write!(f, "`{command}` did not end within {}", took(WITHIN)),
        }
    }
}

/// The line that matters: nginx's `[emerg]`, else the last one; for a prompt of sudo, what to allow.
fn complaint(argv: &[String], output: &str, status: &str) -> String {
    let command = argv.join(" ");
    if output.contains("a password is required") || output.contains("a terminal is required") {
        return format!("`{command}` asks for a password: add to /etc/sudoers.d/bluegreen: {}", sudoers_line(argv));
    }
    let last = output.lines().rev().find(|line| !line.trim().is_empty());
    let line = output.lines().find(|line| line.contains("[emerg]")).or(last);
    let line = line.map_or_else(|| status.to_owned(), one_line);
    let syntax = if output.contains(SYNTAX_IS_OK) { format!("; {SYNTAX_IS_OK}") } else { String::new() };
    format!("`{command}` failed: {line}{syntax}")
}

/// The rule that lets this user run `argv` (`sudo -n ...`) without a password.
fn sudoers_line(argv: &[String]) -> String {
    let user = std::env::var("USER").unwrap_or_else(|_| format!("#{}", rustix::process::getuid().as_raw()));
    let mut words = argv.iter().skip_while(|word| word.ends_with("sudo") || word.starts_with('-')).cloned();
    let program = words.next().unwrap_or_default();
    let program = find_for_root(&program).map_or(program, |path| path.display().to_string());
    let command: Vec<String> = std::iter::once(program).chain(words).collect();
    format!("{user} ALL=(root) NOPASSWD: {}", command.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn says_the_line_that_matters() {
        let output = "nginx: [warn] x\nnginx: [emerg] unknown directive \"foo\" in a:1\nnginx: test failed\n";
        let text = complaint(&argv("nginx -t"), output, "exit status: 1");
        assert_eq!(text, "`nginx -t` failed: nginx: [emerg] unknown directive \"foo\" in a:1");
        let output =
            "nginx: the configuration file a syntax is ok\nnginx: [emerg] open() \"pid\" failed\nnginx: test failed\n";
        let text = complaint(&argv("nginx -t"), output, "exit status: 1");
        assert_eq!(text, "`nginx -t` failed: nginx: [emerg] open() \"pid\" failed; syntax is ok");
        assert_eq!(complaint(&argv("nginx -t"), "\n", "exit status: 1"), "`nginx -t` failed: exit status: 1");
    }

    #[test]
    fn a_prompt_of_sudo_names_the_line_to_add() {
        let text = complaint(&argv("sudo -n sh -c x"), "sudo: a password is required\n", "exit status: 1");
        assert!(text.contains("ALL=(root) NOPASSWD: /") && text.ends_with("/sh -c x"), "{text}");
    }

    #[tokio::test]
    async fn runs_without_a_shell_and_without_input() {
        assert_eq!(run(&argv("echo $HOME")).await.unwrap(), "$HOME\n");
        assert_eq!(run(&argv("cat")).await.unwrap(), "");
        assert!(run(&argv("false")).await.unwrap_err().to_string().starts_with("`false` failed: exit status: 1"));
        assert!(
            run(&argv("/nonexistent/x")).await.unwrap_err().to_string().starts_with("cannot run \"/nonexistent/x\"")
        );
        assert!(run(&[]).await.is_err());
    }
}
