//! `setup --check` in reload mode: the include file, and whether nginx reads it.

use std::path::Path;

use bluegreen_core::{Blind, ProfileResolver as _, Traffic};
use bluegreen_nginx::{
    reload::{IncludeFile, IncludeResolver},
    setup::{Difference, Survey},
};

use crate::{
    args,
    config::Config,
    doctor::{self, differs},
    wiring,
};

/// What differs, and what is found when nothing does.
pub(super) async fn check(config: &Config, args: &args::Setup) -> (Vec<Difference>, String) {
    let path = &config.nginx.service_url_file;
    let resolver = IncludeResolver::new(IncludeFile::new(path), &config.profiles, wiring::master(config));
    let commands = super::commands(config, args);
    let reads = match &commands {
        Ok(commands) => commands.reads(path).await,
        Err(error) => Err(error.to_string()),
    };
    let (found, mut differences) = match judge(path, resolver.resolve().await, reads) {
        Ok(found) => (found, Vec::new()),
        Err(differences) => (String::new(), differences),
    };
    if let Ok(commands) = commands {
        match Survey::walk(&commands.configuration().await) {
            Ok(survey) => differences.extend(doctor::past_the_include(config, &survey, &commands)),
            Err(error) => {
                let what = format!("whether all requests follow the include is not known: {error}");
                differences.push(differs(what, "run this as root, or repair nginx's configuration first"));
            }
        }
    }
    (differences, found)
}

/// What the include file says now, or what is wrong with it: `traffic` is how nginx's workers have read it, `reads` whether its
/// configuration includes it.
fn judge(path: &Path, traffic: Result<Traffic, Blind>, reads: Result<bool, String>) -> Result<String, Vec<Difference>> {
    let path = path.display();
    let mut wrong = Vec::new();
    let found = match traffic {
        Ok(Traffic::Ours(route)) => {
            format!("nginx reads {path}, which leads to {} on port {}", route.active, route.active.port())
        }
        Ok(Traffic::Elsewhere(leads)) => {
            format!("nginx reads it: {leads}, which is neither profile; the first deploy takes the traffic over")
        }
        Ok(missing @ Traffic::NotSetUp(_)) => {
            // nginx cannot read it either
            return Err(vec![differs(
                missing.to_string(),
                "write `set $service_url http://127.0.0.1:PORT;` into it, include it in the app's location and reload \
                 nginx; or correct proxy.nginx.service_url_file",
            )]);
        }
        Err(error) => {
            wrong.push(differs(error.to_string(), "put that right, then run this again"));
            String::new()
        }
    };
    match reads {
        Ok(true) => {}
        Ok(false) => wrong.push(differs(
            format!("nginx does not read {path}"),
            "write `include` with this file and `proxy_pass $service_url;` into the app's location, or correct \
             proxy.nginx.service_url_file",
        )),
        Err(said) => wrong.push(differs(said, "run this as root, or repair nginx's configuration first")),
    }
    if wrong.is_empty() { Ok(found) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use bluegreen_core::{Profile, Route};
    use bluegreen_nginx::Commands;

    use super::*;
    use crate::advice::for_repair;

    const PATH: &str = "/etc/nginx/conf.d/service-url.inc";

    /// What is found, or what is wrong, a line for each.
    fn judged(traffic: Result<Traffic, Blind>, reads: Result<bool, String>) -> Result<String, String> {
        let line =
            |d: &Difference| format!("{}; {}", d.what, for_repair(d.fix.as_ref().unwrap(), &Commands::new(["nginx"])));
        judge(Path::new(PATH), traffic, reads).map_err(|wrong| wrong.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn an_include_file_that_nginx_reads_is_all_that_reload_mode_needs() {
        let real1 = Traffic::Ours(Route::solo(Profile::new("real1".parse().unwrap(), 8081).unwrap()));
        let found = judged(Ok(real1.clone()), Ok(true));
        assert_eq!(found, Ok(format!("nginx reads {PATH}, which leads to real1 on port 8081")));
        let article = Traffic::Elsewhere(format!("{PATH} leads to port 8080"));
        let found = judged(Ok(article), Ok(true)).unwrap();
        assert!(found.contains("leads to port 8080, which is neither profile"), "{found}");

        let missing = Traffic::NotSetUp(format!("there is no {PATH}"));
        let stale = Blind::Route(format!("{PATH} is newer than nginx's workers"));
        for (route, reads, wanted, lines) in [
            (Ok(real1.clone()), Ok(false), "nginx does not read /etc", 1),
            (Ok(real1), Err("nginx: [emerg] no".to_owned()), "[emerg] no; run this as root", 1),
            (
                Ok(missing),
                Err("nginx: [emerg] no such file".to_owned()),
                "there is no /etc/nginx/conf.d/service-url.inc; write `set $service_url",
                1,
            ),
            (Err(stale), Err("nginx: [emerg] no".to_owned()), "is newer than nginx's workers", 2),
        ] {
            let found = judged(route, reads).unwrap_err();
            assert_eq!(found.lines().count(), lines, "{found}");
            assert!(found.contains(wanted), "{found}");
        }
    }
}
