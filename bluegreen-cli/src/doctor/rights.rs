//! Reload mode: what the deploy user must be allowed to do as root. Found out at the switch it would be too late.

use std::time::Duration;

use bluegreen_linux::{program::Program, users::User};

use super::Finding;
use crate::{
    config::{Config, ProxyMode},
    report,
};

/// A directory service may be asked who this is.
const WITHIN: Duration = Duration::from_secs(30);

/// The commands that sudo would ask a password for.
pub(super) async fn look(config: &Config) -> Option<Finding> {
    if config.nginx.mode != ProxyMode::Reload {
        return None;
    }
    let nginx = &config.nginx;
    let mut refused = Vec::new();
    for argv in [&nginx.test, &nginx.reload] {
        if let Some(command) = through_sudo(argv)
            && !may(command).await
        {
            refused.push(command.to_vec());
        }
    }
    // it is called with the new file and its place
    let files = ["/tmp/new".to_owned(), nginx.service_url_file.display().to_string()];
    let install = nginx.install.as_ref().and_then(|words| through_sudo(words));
    let install = match install {
        Some(command) if !may(&[command, &files].concat()).await => Some(command),
        _ => None,
    };
    judge(&User::current().name, &refused, install)
}

/// What sudo would run; `None` for a command without it, or with options that are not known here.
fn through_sudo(argv: &[String]) -> Option<&[String]> {
    match argv {
        [sudo, option, command @ ..] if sudo.ends_with("sudo") && option == "-n" => Some(command),
        [sudo, command @ ..] if sudo.ends_with("sudo") => Some(command),
        _ => None,
    }
    .filter(|command| command.first().is_some_and(|word| !word.starts_with('-')))
}

/// Whether sudo lets this user run it, as sudo itself says. Without sudo the command will say so.
async fn may(command: &[String]) -> bool {
    let words = ["sudo", "-n", "-l"].into_iter().chain(command.iter().map(String::as_str));
    Program::new(words).run(WITHIN).await.map_or(true, |said| said.status.success())
}

/// One line for `sudoers`. A rule for `cp` with any file would let the user write anywhere: there a script of root's is wanted.
fn judge(user: &str, refused: &[Vec<String>], install: Option<&[String]>) -> Option<Finding> {
    let all = refused.iter().map(Vec::as_slice).chain(install);
    let shown: Vec<String> = all.map(|words| format!("`sudo {}`", words.join(" "))).collect();
    if shown.is_empty() {
        return None;
    }
    let script = install.filter(|words| words.len() == 1).map(<[String]>::to_vec);
    let rules: Vec<String> = refused.iter().chain(&script).map(|words| rule(words)).collect();
    let line = (!rules.is_empty()).then(|| {
        format!("sudo visudo -f /etc/sudoers.d/bluegreen, with: {user} ALL=(root) NOPASSWD: {}", rules.join(", "))
    });
    let more = (install.is_some() && script.is_none())
        .then(|| "for `install` a script of root's, as in docs/migrating.md".to_owned());
    let what = format!("{user} may not run {} without a password, and each switch does", shown.join(" and "));
    Some(Finding::fatal("sudo", what, line.into_iter().chain(more).collect::<Vec<_>>().join("; ")))
}

/// The program with its path, as sudo wants it.
fn rule(words: &[String]) -> String {
    let path = words.first().map(|program| report::path_of(program)).unwrap_or_default();
    std::iter::once(&path).chain(words.iter().skip(1)).map(String::as_str).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn all_that_is_missing_is_one_line_for_sudoers() {
        assert_eq!(judge("deploy", &[], None), None);
        let refused = [words("/sbin/nginx -t"), words("/sbin/nginx -s reload")];
        let fix = |refused: &[Vec<String>], install: &str| {
            judge("deploy", refused, Some(&words(install))).unwrap().fix.unwrap()
        };
        let found = judge("deploy", &refused, None).unwrap();
        assert!(found.what.contains("`sudo /sbin/nginx -t` and `sudo /sbin/nginx -s reload`"), "{}", found.what);
        let line = "deploy ALL=(root) NOPASSWD: /sbin/nginx -t, /sbin/nginx -s reload";
        assert!(found.fix().ends_with(line), "{}", found.fix());
        assert!(fix(&refused, "/opt/put").ends_with(&format!("{line}, /opt/put")));
        // never a rule with which any file could be written
        assert!(fix(&[], "/bin/cp -p").starts_with("for `install` a script"));
        assert!(fix(&refused, "/bin/cp -p").contains(&format!("{line}; for `install`")));
    }

    #[test]
    fn only_what_goes_through_sudo_is_asked_for() {
        assert_eq!(through_sudo(&words("/usr/bin/sudo -n nginx -t")), Some(&words("nginx -t")[..]));
        assert_eq!(through_sudo(&words("sudo nginx -t")), Some(&words("nginx -t")[..]));
        for other in ["nginx -t", "sudo -u www nginx", "sudo -n -u www nginx", "sudo"] {
            assert_eq!(through_sudo(&words(other)), None, "{other}");
        }
    }
}
