//! The words of a command that choose nginx's configuration.

use std::path::{Path, PathBuf};

use bluegreen_linux::program::is_safe;

/// Of `nginx: master process PROGRAM ...`: its `-c`, `-p` and `-e` with their paths. The others, as `-g`, need quotes that a
/// title has not. The error is the path that somebody else than `user` and root can change.
pub(super) fn of_title(title: &str, user: u32) -> Result<Vec<String>, PathBuf> {
    let words: Vec<&str> = title.split_whitespace().collect();
    let given = |flag: &str| words.windows(2).find(|pair| pair[0] == flag).map(|pair| pair[1]);
    let prefix = Path::new(given("-p").unwrap_or_default());
    let mut chosen = Vec::new();
    for flag in ["-p", "-c", "-e"] {
        let Some(word) = given(flag) else { continue };
        let path = if flag == "-p" { prefix.to_owned() } else { prefix.join(word) };
        // who cannot look at it does not know
        let safe = is_safe(&path, user).is_ok_and(|safe| safe);
        match flag {
            _ if safe => chosen.extend([flag, word].map(str::to_owned)),
            // a log chooses no configuration: nginx has another one
            "-e" => {}
            _ => return Err(path),
        }
    }
    Ok(chosen)
}

/// The main file of an nginx that is called so, where `built` is what `nginx -V` prints.
pub(crate) fn configuration(command: &[String], built: &str) -> PathBuf {
    let given = |flag: &str| command.iter().position(|word| word == flag).and_then(|at| command.get(at + 1)).cloned();
    let configured = |name: &str| {
        let value = built.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        value.map(str::to_owned)
    };
    let prefix = given("-p").or_else(|| configured("--prefix")).unwrap_or_else(|| "/etc/nginx".to_owned());
    let file = given("-c").or_else(|| configured("--conf-path"));
    Path::new(&prefix).join(file.unwrap_or_else(|| "conf/nginx.conf".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use rustix::process::geteuid;

    use super::*;

    const DEBIAN: &str = "configure arguments: --prefix=/usr/share/nginx --conf-path=/etc/nginx/nginx.conf";

    #[test]
    fn a_command_says_which_configuration() {
        let file = |words: &str, built: &str| {
            let command: Vec<String> = format!("nginx {words}").split_whitespace().map(str::to_owned).collect();
            configuration(&command, built).display().to_string()
        };
        assert_eq!(file("", DEBIAN), "/etc/nginx/nginx.conf");
        assert_eq!(file("-e /x/e -p /x -c my.conf", DEBIAN), "/x/my.conf");
        assert_eq!(file("-p /x", "configure arguments: --prefix=/opt"), "/x/conf/nginx.conf");
        assert_eq!(file("-c", ""), "/etc/nginx/conf/nginx.conf");
    }

    #[test]
    fn a_title_gives_only_paths_that_nobody_else_can_change() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name).display().to_string();
        for name in ["my.conf", "open.conf", "log"] {
            fs::write(at(name), "").unwrap();
        }
        fs::set_permissions(at("open.conf"), fs::Permissions::from_mode(0o666)).unwrap();
        let words = |words: &str| of_title(&format!("nginx: master process nginx {words}"), geteuid().as_raw());
        let found = |text: &str| words(text).unwrap().join(" ");
        let (dir, conf, open) = (home.path().display().to_string(), at("my.conf"), at("open.conf"));
        assert_eq!(found("-g daemon on; master_process on;"), "");
        assert_eq!(
            found(&format!("-e {} -p {dir} -c my.conf", at("log"))),
            format!("-p {dir} -c my.conf -e {}", at("log"))
        );
        assert_eq!(found(&format!("-c {conf} -e {open}")), format!("-c {conf}"), "the log is left out");
        for (text, path) in [
            (format!("-c {open}"), open.as_str()),
            (format!("-p {dir} -c open.conf"), &open),
            ("-c /no/such".to_owned(), "/no/such"),
            ("-p /no/such".to_owned(), "/no/such"),
            ("-c my.conf".to_owned(), "my.conf"),
        ] {
            assert_eq!(words(&text), Err(path.into()), "{text}");
        }
    }
}
