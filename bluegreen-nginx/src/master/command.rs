//! How a running nginx was called, by its title.

use std::path::{Path, PathBuf};

/// The words of `nginx: master process PROGRAM ...` that choose files; the others, as `-g`, need quotes that a title has not.
pub(super) fn of_title(title: &str) -> Vec<String> {
    let words: Vec<&str> = title.split_whitespace().collect();
    let chosen = words.windows(2).filter(|pair| matches!(pair[0], "-c" | "-p" | "-e"));
    chosen.flatten().map(|word| (*word).to_owned()).collect()
}

/// The main file of an nginx that is called so, where `built` is what `nginx -V` prints.
pub(super) fn configuration(command: &[String], built: &str) -> PathBuf {
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
    use super::*;

    const DEBIAN: &str = "configure arguments: --prefix=/usr/share/nginx --conf-path=/etc/nginx/nginx.conf";

    #[test]
    fn a_title_says_which_configuration() {
        let file = |title: &str, built: &str| {
            let command: Vec<String> = ["nginx".to_owned()].into_iter().chain(of_title(title)).collect();
            configuration(&command, built).display().to_string()
        };
        let plain = "nginx: master process /usr/sbin/nginx -g daemon on; master_process on;";
        assert_eq!(file(plain, DEBIAN), "/etc/nginx/nginx.conf");
        assert_eq!(file("nginx: master process nginx -e /x/e -p /x -c my.conf", DEBIAN), "/x/my.conf");
        assert_eq!(
            file("nginx: master process nginx -p /x", "configure arguments: --prefix=/opt"),
            "/x/conf/nginx.conf"
        );
        assert_eq!(file("nginx: master process nginx -c", ""), "/etc/nginx/conf/nginx.conf");
    }
}
