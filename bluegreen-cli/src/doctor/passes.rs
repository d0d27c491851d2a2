//! Whether what users reach at the front door follows the route.

use bluegreen_core::Profiles;
use bluegreen_nginx::{
    Commands,
    setup::{Difference, Passing, Survey},
};

use super::Finding;
use crate::config::{Config, ProxyMode};

pub(super) fn look(config: &Config, survey: &Survey, commands: &Commands, differences: &[Difference]) -> Vec<Finding> {
    let url = &config.nginx.url;
    let port = config.nginx.connect.map(|address| address.port()).or(url.port_or_known_default());
    let at_the_port: Vec<Passing> =
        survey.passes().into_iter().filter(|pass| pass.door.as_ref().map(|door| door.port) == port).collect();
    let is_named = |pass: &&Passing| pass.door.as_ref().is_some_and(|door| door.name.as_deref() == url.host_str());
    let named: Vec<Passing> = at_the_port.iter().filter(is_named).cloned().collect();
    let passes = if named.is_empty() { at_the_port } else { named };
    let follows = match config.nginx.mode {
        ProxyMode::Marker => format!("http://${}_upstream", config.app.to_string().replace('-', "_")),
        ProxyMode::Reload => "$service_url".to_owned(),
    };
    judge(&config.profiles, &follows, &passes, commands, differences)
}

/// `follows` is what a `proxy_pass` names that follows the route. As long as one of the front door does, the others are
/// locations of their own, of which no deploy fails.
fn judge(
    profiles: &Profiles,
    follows: &str,
    passes: &[Passing],
    commands: &Commands,
    differences: &[Difference],
) -> Vec<Finding> {
    if passes.iter().any(|pass| pass.argument == follows) {
        return Vec::new();
    }
    let fix = |pass: &Passing| {
        let told = differences.iter().find(|difference| difference.at.as_ref() == Some(&pass.at));
        let by_hand = || format!("write `proxy_pass {follows};` there, then {}", commands.typed_reload());
        told.map_or_else(by_hand, |difference| difference.fix.clone())
    };
    let wrong = |pass: &Passing| {
        let what = if let Some(profile) = pass.port.and_then(|port| profiles.on_port(port)) {
            format!(
                "users' requests go to port {} whatever the route says: a deploy to {} would end with 13",
                profile.port(),
                profiles.other(profile)
            )
        } else if pass.argument.starts_with(follows) {
            format!("`proxy_pass {}` sends every request as the path behind the variable", pass.argument)
        } else {
            return None;
        };
        Some(Finding::fatal("front-door-route", what, fix(pass)).at(&pass.at))
    };
    passes.iter().filter_map(wrong).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use bluegreen_nginx::Snippet;

    use super::*;
    use crate::{config::SMALLEST, doctor::Severity, wiring};

    const OURS: &str = "proxy_pass http://$shop_upstream;";

    fn judged(servers: &str, differences: impl Fn(&Survey) -> Vec<Difference>) -> Vec<Finding> {
        let home = tempfile::tempdir().unwrap();
        let main = home.path().join("nginx.conf");
        fs::write(&main, format!("http {{\n{servers}\n}}\n")).unwrap();
        let survey = Survey::walk(&main).unwrap();
        let config = Config::parse(SMALLEST, "bluegreen.toml".as_ref()).unwrap();
        look(&config, &survey, &Commands::new(["/opt/nginx"]), &differences(&survey))
    }

    fn found(servers: &str) -> Vec<Finding> {
        judged(servers, |_| Vec::new())
    }

    #[test]
    fn a_front_door_with_a_port_of_its_own_fails_a_deploy() {
        let hard = "server { listen 80; location / { proxy_pass http://127.0.0.1:8081; } }";
        let [finding] = &found(hard)[..] else { panic!("one finding") };
        assert_eq!(finding.severity, Severity::Fatal);
        assert_eq!(
            finding.what,
            "users' requests go to port 8081 whatever the route says: a deploy to real2 would end with 13"
        );
        assert_eq!(finding.fix, format!("write `{OURS}` there, then sudo /opt/nginx -s reload"));
        let apply = |survey: &Survey| {
            vec![Difference::new("x", "sudo bluegreen setup --apply").at(survey.passes()[0].at.clone())]
        };
        assert_eq!(judged(hard, apply)[0].fix, "sudo bluegreen setup --apply");
        let config = Config::parse(SMALLEST, "bluegreen.toml".as_ref()).unwrap();
        let snippet = Snippet::new(config.app.clone(), wiring::route_dir(&config).unwrap());
        assert!(snippet.location().contains(OURS), "as the snippet names it");
        let path = "server { listen 80; location / { proxy_pass http://$shop_upstream/x; } }";
        assert!(found(path)[0].what.contains("as the path behind the variable"));
    }

    #[test]
    fn a_location_or_a_site_beside_it_does_not() {
        let beside = "location /live { proxy_pass http://127.0.0.1:8081; }";
        assert_eq!(found(&format!("server {{ listen 80; location / {{ {OURS} }} {beside} }}")), []);
        assert_eq!(found("server { listen 80; location / { proxy_pass http://127.0.0.1:9000; } }"), []);
        assert_eq!(
            found(&format!("server {{ listen 81; {beside} }} server {{ listen 80; location / {{ {OURS} }} }}")),
            []
        );
    }
}
