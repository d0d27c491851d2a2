//! Whether what users reach at the front door follows the route.

use bluegreen_core::{Previous, Profiles, Seen};
use bluegreen_nginx::{
    Commands, reload,
    setup::{Difference, Limit, Passing, Survey},
};

use super::Finding;
use crate::{
    advice::for_repair,
    config::{Config, ProxyMode},
};

/// The finding about the `proxy_pass` of the front door.
pub(super) const FRONT_DOOR_ROUTE: &str = "front-door-route";

/// The finding about a location beside it that leads to one profile for good.
pub(super) const FIXED_PORT: &str = "fixed-port";
/// The finding about what limits users' requests.
pub(crate) const LIMIT: &str = "limit";

pub(super) fn look(
    config: &Config,
    survey: &Survey,
    commands: &Commands,
    seen: &Seen,
    differences: &[Difference],
) -> Vec<Finding> {
    let all = survey.passes();
    let follows = Follows::of(config, &all);
    let fix = |pass: &Passing| {
        let told = differences.iter().find(|difference| difference.place.as_ref() == Some(&pass.at.to_string()));
        let by_hand = || format!("write `proxy_pass {};` there, then {}", follows.written, commands.typed_reload());
        told.and_then(|it| it.fix.as_ref()).map_or_else(by_hand, |repair| for_repair(repair, commands))
    };
    let door = at_the_door(config, &all);
    let mut findings = judge(&config.profiles, &follows, &door, fix);
    findings.extend(limits_of(&follows, &door).iter().map(limited));
    let previous = config.after_switch.previous;
    for pass in all.iter().filter(|pass| !follows.is_in(&pass.argument)) {
        let place = Some(pass.at.to_string());
        if !findings.iter().any(|finding| finding.place == place) {
            findings.extend(fixed(previous, seen, pass, fix));
        }
    }
    findings
}

/// Those of the server block that `proxy.nginx.url` reaches.
fn at_the_door(config: &Config, all: &[Passing]) -> Vec<Passing> {
    let url = &config.nginx.url;
    let port = config.nginx.connect.map(|address| address.port()).or(url.port_or_known_default());
    let at_the_port = all.iter().filter(|pass| pass.door.as_ref().map(|door| door.port) == port).cloned();
    let at_the_port: Vec<Passing> = at_the_port.collect();
    let is_named = |pass: &&Passing| pass.door.as_ref().is_some_and(|door| door.name.as_deref() == url.host_str());
    let named: Vec<Passing> = at_the_port.iter().filter(is_named).cloned().collect();
    if named.is_empty() { at_the_port } else { named }
}

/// What a `proxy_pass` names that follows the route.
struct Follows {
    mode: ProxyMode,
    /// As a person writes it here.
    written: String,
}

impl Follows {
    fn of(config: &Config, passes: &[Passing]) -> Self {
        let mode = config.nginx.mode;
        let written = match mode {
            ProxyMode::Marker => format!("http://${}_upstream", config.app.to_string().replace('-', "_")),
            // as it stands elsewhere: with a scheme of its own, or without
            ProxyMode::Reload => {
                let so = passes.iter().map(|pass| &pass.argument).find(|argument| reload::follows(argument));
                so.map_or_else(|| "$service_url".to_owned(), Clone::clone)
            }
        };
        Self { mode, written }
    }

    /// It does, with the path that users ask for.
    fn is(&self, argument: &str) -> bool {
        match self.mode {
            ProxyMode::Marker => argument == self.written,
            ProxyMode::Reload => reload::follows(argument),
        }
    }

    fn is_in(&self, argument: &str) -> bool {
        match self.mode {
            ProxyMode::Marker => argument.starts_with(&self.written),
            ProxyMode::Reload => reload::names(argument),
        }
    }
}

/// As long as one pass of the front door follows the route, the others are locations of their own, for [`fixed`] to judge.
fn judge(profiles: &Profiles, follows: &Follows, passes: &[Passing], fix: impl Fn(&Passing) -> String) -> Vec<Finding> {
    if passes.iter().any(|pass| follows.is(&pass.argument)) {
        return Vec::new();
    }
    let wrong = |pass: &Passing| {
        let what = if follows.is_in(&pass.argument) {
            format!("`proxy_pass {}` sends every request as the path behind the variable", pass.argument)
        } else {
            let profile = profiles.on_port(pass.port?)?;
            format!(
                "users' requests go to port {} whatever the route says: a deploy to {} would end with 13",
                profile.port(),
                profiles.other(profile)?
            )
        };
        Some(Finding::fatal(FRONT_DOOR_ROUTE, what, fix(pass)).at(&pass.at))
    };
    passes.iter().filter_map(wrong).collect()
}

/// What limits the requests to the front door.
pub(super) fn limits(config: &Config, survey: &Survey) -> Vec<Limit> {
    let all = survey.passes();
    limits_of(&Follows::of(config, &all), &at_the_door(config, &all))
}

fn limits_of(follows: &Follows, door: &[Passing]) -> Vec<Limit> {
    let ours = door.iter().filter(|pass| follows.is_in(&pass.argument));
    let mut limits: Vec<Limit> = ours.flat_map(|pass| &pass.limits).cloned().collect();
    limits.sort_by_key(|limit| limit.at.clone());
    limits.dedup();
    limits
}

/// What limits users' requests takes a deploy's own probes for theirs.
fn limited(limit: &Limit) -> Finding {
    let what = format!(
        "`{}` counts the probes of a deploy with the users' requests, and delays or refuses what is beyond it: a deploy asks \
         the front door once a second",
        limit.directive
    );
    let fix = "set proxy.nginx.url to a location without it, or leave out 127.0.0.1 by a `geo` and a `map` for its key";
    Finding::warning(LIMIT, what, fix).at(&limit.at)
}

/// A location beside the one that follows the route, with the port of one profile for good. The deploy itself succeeds, and
/// breaks it: a deploy stops what runs on the idle profile and starts a release there that nobody has proven, and with
/// `previous = "stop"` the profile that had the traffic ends too. So it is fatal where the next deploy takes its app away. It
/// is a warning where that deploy leaves it on the release of before, where nothing runs that could be taken away, and in a
/// location that users do not reach: a look at one profile is a thing that people want.
fn fixed(previous: Previous, seen: &Seen, pass: &Passing, fix: impl Fn(&Passing) -> String) -> Option<Finding> {
    let profile = seen.profiles.on_port(pass.port?)?;
    let active = seen.route().map(|route| &route.active);
    let (breaks, then) = match active {
        None => (false, "it stays there whoever has the traffic".to_owned()),
        Some(active) if active == profile && previous == Previous::Stop => {
            (true, format!("the next deploy stops {profile}, and these requests get 502 from then on"))
        }
        Some(active) if active == profile => (
            false,
            "after the next deploy they still get the release of before, and the deploy after that stops it".into(),
        ),
        Some(_) if seen.listens(profile) => (
            true,
            "the next deploy stops what runs there: 502 until the new release listens, which nobody has proven then"
                .into(),
        ),
        Some(_) => (previous == Previous::Stop, "nothing runs there, and they get 502 now".to_owned()),
    };
    let Passing { argument, location, at, guarded, .. } = pass;
    let what =
        format!("requests to `{location}` go to {profile} whatever the route says (`proxy_pass {argument}`): {then}");
    let fix = format!("{}; if it is a look at {profile} for yourself: `allow 127.0.0.1; deny all;` in it", fix(pass));
    let severity = if breaks && !guarded { Finding::fatal } else { Finding::warning };
    Some(severity(FIXED_PORT, what, fix).at(at))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use bluegreen_core::{Occupant, Route, Stamp, Stranger};
    use bluegreen_nginx::{
        Snippet,
        setup::{Repair, SETUP},
    };

    use super::*;
    use crate::{
        config::SMALLEST,
        doctor::{Severity, ids},
        wiring,
    };

    const OURS: &str = "proxy_pass http://$shop_upstream;";

    /// What is found in `servers` where `real1` has the traffic and both run.
    fn judged(servers: &str, differences: impl Fn(&Survey) -> Vec<Difference>) -> Vec<Finding> {
        let config = Config::parse(SMALLEST, "bluegreen.toml".as_ref()).unwrap();
        looked(&config, &seen(&config, [true, true]), servers, differences)
    }

    fn looked(
        config: &Config,
        seen: &Seen,
        servers: &str,
        differences: impl Fn(&Survey) -> Vec<Difference>,
    ) -> Vec<Finding> {
        let home = tempfile::tempdir().unwrap();
        let main = home.path().join("nginx.conf");
        fs::write(&main, format!("http {{\n{servers}\n}}\n")).unwrap();
        let survey = Survey::walk(&main).unwrap();
        look(config, &survey, &Commands::new(["/opt/nginx"]), seen, &differences(&survey))
    }

    fn seen(config: &Config, runs: [bool; 2]) -> Seen {
        let occupant = |runs| Ok(if runs { Occupant::stranger(Stranger::new()) } else { Occupant::Nobody });
        Seen {
            profiles: config.profiles.clone(),
            traffic: Ok(Route::solo(config.profiles.first().clone()).into()),
            occupants: runs.map(occupant),
            now: Stamp { boot: String::new(), since_boot: std::time::Duration::ZERO },
            interrupt: None,
            last: None,
        }
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
        assert_eq!(finding.fix(), format!("write `{OURS}` there, then sudo /opt/nginx -s reload"));
        let apply = |survey: &Survey| vec![Difference::fatal(SETUP, "x", Repair::Apply).at(&survey.passes()[0].at)];
        assert_eq!(judged(hard, apply)[0].fix(), "sudo bluegreen setup --apply");
        let config = Config::parse(SMALLEST, "bluegreen.toml".as_ref()).unwrap();
        let snippet = Snippet::new(config.app.clone(), wiring::route_dir(&config).unwrap());
        assert!(snippet.location().contains(OURS), "as the snippet names it");
        let path = "server { listen 80; location / { proxy_pass http://$shop_upstream/x; } }";
        assert!(found(path)[0].what.contains("as the path behind the variable"));
    }

    #[test]
    fn a_location_beside_it_is_fatal_where_the_next_deploy_breaks_it() {
        use Previous::{Stop, Warm};
        use Severity::{Fatal, Warning};
        let mut config = Config::parse(SMALLEST, "bluegreen.toml".as_ref()).unwrap();
        let site = |port: u16, more: &str| {
            format!(
                "server {{ listen 80; location / {{ {OURS} }}\nlocation /live {{ {more} proxy_pass http://127.0.0.1:{port}; }} }}"
            )
        };
        let mut judge = |previous, port, runs, more: &str| {
            config.after_switch.previous = previous;
            let found = looked(&config, &seen(&config, [true, runs]), &site(port, more), |_| Vec::new());
            let [finding] = &found[..] else { panic!("{found:?}") };
            assert!(finding.id == "fixed-port" && finding.place.as_ref().unwrap().ends_with("nginx.conf:3"));
            assert!(
                finding.fix().starts_with(&format!("write `{OURS}` there"))
                    && finding.what.contains("`location /live`")
            );
            (finding.severity, finding.what.rsplit_once(": ").unwrap().1.to_owned())
        };
        assert_eq!(judge(Warm, 8081, true, "").0, Warning, "it is on the old release after the next one");
        assert_eq!(
            judge(Stop, 8081, true, ""),
            (Fatal, "the next deploy stops real1, and these requests get 502 from then on".into())
        );
        assert_eq!(judge(Warm, 8082, true, "").0, Fatal, "the warm release is stopped");
        assert_eq!(judge(Warm, 8082, false, "").0, Warning, "nothing can be taken away");
        assert_eq!(judge(Stop, 8082, false, "").0, Fatal, "every second deploy takes it away");
        assert_eq!(judge(Stop, 8082, true, "allow 127.0.0.1; deny all;").0, Warning, "no user comes there");
    }

    #[test]
    fn a_limit_at_the_front_door_is_named_with_its_line_and_one_elsewhere_is_not() {
        let limits = "limit_req zone=one burst=5;\nlimit_conn all 9;";
        let at = |inside: &str, beside: &str| {
            found(&format!("server {{ listen 80; location / {{ {inside} {OURS} }}\nlocation /x {{ {beside} }} }}"))
        };
        let named = at(limits, "");
        assert_eq!(ids(&named), [(Severity::Warning, LIMIT); 2]);
        assert!(named[0].what.starts_with("`limit_req zone=one burst=5` counts the probes"), "{}", named[0].what);
        assert!(named[1].place.as_ref().unwrap().ends_with("nginx.conf:3"), "{named:?}");
        assert_eq!(at("", limits), []);
    }

    #[test]
    fn other_apps_and_other_sites_are_their_own() {
        assert_eq!(found("server { listen 80; location / { proxy_pass http://127.0.0.1:9000; } }"), []);
        let other = "location / { proxy_pass http://127.0.0.1:8082; }";
        let found = found(&format!("server {{ listen 81; {other} }} server {{ listen 80; location / {{ {OURS} }} }}"));
        assert_eq!(ids(&found), [(Severity::Fatal, "fixed-port")], "no front door, and users may come there");
    }
}
