//! What the health page and the front door answer now.

use bluegreen_core::{Answer as Answered, FrontDoor as _, Occupant, Profile, Seen, Unhealthy};
use bluegreen_http::{Answer, Body, FrontDoor, StatusRanges};
use tokio::time::sleep;

use super::{Finding, nginx};
use crate::{app::AGAIN, config::Config, report::Trouble, wiring};

/// The findings about the front door.
pub(super) const FRONT_DOOR: &str = "front-door";
/// What to do where nothing is wrong but the release.
const DEPLOY: &str = "bluegreen status, and a deploy of what should answer there";
/// How often it is asked again: one hiccup is no verdict.
const AGAIN_TIMES: usize = 2;
/// What asks for a password: of nginx, and of a proxy on the way.
const PASSWORD: [u16; 2] = [401, 407];

pub(super) async fn look(config: &Config, seen: &Seen) -> Vec<Finding> {
    let active = seen.route().map(|route| &route.active);
    let running = active.filter(|active| matches!(seen.on(active), Ok(Occupant::Ours { listening: true, .. })));
    let mut findings = Vec::new();
    if let Some(profile) = running {
        findings.push(match wiring::health_client(config, profile) {
            Ok(client) => judge_health(profile, client.get().await, &config.health.status, &config.health.body),
            Err(error) => Finding::warning("health", Trouble::from_error(&error).one_line(), "correct [health]"),
        });
    }
    findings.extend(door(config, seen).await);
    findings
}

/// What the front door answers, as far as it can be told whose answer that should be. `None`: that tells nothing.
pub(super) async fn door(config: &Config, seen: &Seen) -> Option<Finding> {
    let (client, door) = match (wiring::door_client(config), wiring::front_door(config)) {
        (Ok(client), Ok(door)) => (client, door),
        (Err(error), _) | (_, Err(error)) => {
            let what = Trouble::from_error(&error).one_line();
            return Some(Finding::fatal(FRONT_DOOR, what, "correct url and ca in [proxy.nginx]"));
        }
    };
    let Some(profile) = behind(seen) else {
        return match client.get().await {
            Ok(answer) => judge_alone(config, &answer),
            // where nobody listens at all is said of nginx
            Err(Unhealthy::Refused(_)) => None,
            Err(error) => Some(unanswered(config, &error)),
        };
    };
    let (door, answered, own) = ask(config, door, profile).await;
    let redirected = match client.get().await {
        Ok(answer) if answer.is_redirect() => Some(redirected(config, &answer)),
        _ => None,
    };
    // one that gives no answer itself is why there is none at the door
    let hangs = own.is_err() && matches!(answered, Answered::Gateway { .. } | Answered::Nobody(_));
    let is_well = own.is_ok_and(|own| is_well(&own));
    // whoever is sick may be why: nginx may show another page in its place, or a page of before
    let mild = |finding: Finding| if is_well { finding } else { finding.milder() };
    let judged = || judge_door(config, &answered, door.is_limited());
    let judged = || if hangs { Finding { fix: Some(DEPLOY.to_owned()), ..judged() } } else { judged() };
    Some(redirected.map_or_else(|| mild(judged()), mild))
}

/// Who answers at the front door, and what `profile` itself says: a bad answer is asked for again, of a door whose limits are known.
async fn ask(config: &Config, door: FrontDoor, profile: &Profile) -> (FrontDoor, Answered, Result<Answer, Unhealthy>) {
    let once = async |door: &FrontDoor| tokio::join!(door.ask(profile), door.own_answer(profile));
    let (mut answered, mut own) = once(&door).await;
    if is_its_own(&answered) {
        return (door, answered, own);
    }
    let door = door.with_limits(nginx::limits(config).await);
    for _ in 0..AGAIN_TIMES {
        sleep(AGAIN).await;
        (answered, own) = once(&door).await;
        if is_its_own(&answered) {
            break;
        }
    }
    (door, answered, own)
}

/// Whether a profile's own answer is one that users should get as it is. Its own redirect, as to a login, is what the next release may
/// cure.
fn is_well(own: &Answer) -> bool {
    own.status < 400 && !own.is_redirect()
}

fn is_its_own(answered: &Answered) -> bool {
    matches!(answered, Answered::Release | Answered::Sick { .. })
}

/// Whose answer the front door should give: of who listens where nginx leads, ours or not.
fn behind(seen: &Seen) -> Option<&Profile> {
    seen.route().map(|route| &route.active).filter(|active| seen.listens(active))
}

fn judge_health(profile: &Profile, answer: Result<Answer, Unhealthy>, good: &StatusRanges, body: &Body) -> Finding {
    const FIX: &str = "set health.url to a page that answers 200 only when the app is ready";
    let answer = match answer {
        Ok(answer) => answer,
        // whatever is asked for there, it hangs: another page does so too
        Err(error @ Unhealthy::NoAnswer(_)) => {
            let what = format!("{profile} listens, and gives its health check {error}");
            return Finding::warning(
                "health",
                what,
                format!("bluegreen logs {profile}; if it hangs, bluegreen recover"),
            );
        }
        Err(error) => {
            return Finding::warning("health", format!("{profile} does not answer its health check: {error}"), FIX);
        }
    };
    let what = format!("the health page of {profile} answers {}", answer.describe());
    if !good.contain(answer.status) {
        // the next release may do better, and may be the cure
        let id = if answer.is_redirect() { "health-redirect" } else { "health" };
        return Finding::warning(id, format!("{what}: no release that does so is ever healthy"), FIX);
    }
    if answer.is_html() && matches!(body, Body::Any) {
        let fix = "set health.url to a page for machines, or health.body to what only a ready app says";
        return Finding::warning("health-html", format!("{what}: a login or error page would do as well"), fix);
    }
    Finding::good("health", what)
}

/// `limited`: nginx limits the requests there, and one that was refused says nothing. Any other answer than that of the profile no
/// deploy cures, where the profile itself is well.
fn judge_door(config: &Config, answered: &Answered, limited: bool) -> Finding {
    let url = &config.nginx.url;
    let fatal = |fix: &str| {
        let what = format!("{url} does not answer as the active profile does: {}", answered.says());
        Finding::fatal(FRONT_DOOR, what, fix)
    };
    match answered {
        Answered::Release => Finding::good(FRONT_DOOR, format!("{url} answers as the active profile does")),
        Answered::Sick { .. } => fatal(DEPLOY).milder(),
        Answered::Limited(says) if limited => Finding::warning(
            FRONT_DOOR,
            format!("{url} refuses requests beyond a limit, which users share with our probes: {says}"),
            "set proxy.nginx.url to a page without limit_req, or make the limit larger",
        ),
        Answered::Other { status, .. } if PASSWORD.contains(status) => password(config, *status),
        Answered::Other { status, .. } if *status < 500 => {
            fatal("set proxy.nginx.url to an address of this app, as users reach it, and `connect` to what to dial")
        }
        Answered::Beside { .. } => {
            fatal("set proxy.nginx.url to a page of this app that no cache keeps, and that follows the route")
        }
        Answered::Down(_) => {
            fatal("sudo nginx -t && sudo systemctl start nginx; or set proxy.nginx.url to where it listens")
        }
        _ => fatal(
            "put that right in nginx, whose error log says more; or set proxy.nginx.url to a page that the app answers",
        ),
    }
}

/// What is said by whoever is in front of a profile where nobody listens.
fn judge_alone(config: &Config, answer: &Answer) -> Option<Finding> {
    if PASSWORD.contains(&answer.status) {
        return Some(password(config, answer.status));
    }
    // one that leads to another address does so whoever serves; a page of this one may stand in for the app
    let url = &config.nginx.url;
    let to = answer.location.as_deref().and_then(|to| url.join(to).ok());
    let away = to.is_some_and(|to| to.origin() != url.origin());
    answer.is_redirect().then(|| redirected(config, answer)).map(|found| if away { found } else { found.milder() })
}

fn unanswered(config: &Config, error: &Unhealthy) -> Finding {
    let what = format!("what users get at {} is not known: {error}", config.nginx.url);
    Finding::warning(FRONT_DOOR, what, "sudo nginx -t; or correct proxy.nginx.url, and `connect`")
}

fn password(config: &Config, status: u16) -> Finding {
    let what = format!("{} wants a password ({status}), which proves no release", config.nginx.url);
    Finding::fatal(FRONT_DOOR, what, "set proxy.nginx.url to a page of this app without one, as `location = /profile`")
}

fn redirected(config: &Config, answer: &Answer) -> Finding {
    let to = answer.location.as_deref().unwrap_or("another page");
    let what =
        format!("{} redirects to {to} ({}), which proves no release", config.nginx.url, answer.describe_status());
    Finding::fatal(
        FRONT_DOOR,
        what,
        "set proxy.nginx.url to where it leads; for a name, with `connect = \"127.0.0.1:443\"`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Severity, kind};

    fn config() -> Config {
        Config::parse(crate::config::SMALLEST, "bluegreen.toml".as_ref()).unwrap()
    }

    fn answer(status: u16, content_type: &str, location: Option<&str>) -> Answer {
        let (content_type, location) = (content_type.to_owned(), location.map(str::to_owned));
        Answer { status, content_type, location, body: b"x".to_vec(), truncated: false }
    }

    #[test]
    fn a_page_that_the_profile_itself_gives_refuses_no_cure() {
        let [page, login, sick] = [answer(200, "", None), answer(302, "", Some("/login")), answer(500, "", None)];
        assert_eq!([&page, &login, &sick].map(is_well), [true, false, false]);
    }

    #[test]
    fn a_redirect_is_told_in_one_sentence() {
        let told = "http://127.0.0.1/ redirects to /login (302 Found), which proves no release";
        assert_eq!(redirected(&config(), &answer(302, "", Some("/login"))).what, told);
    }

    #[test]
    fn a_door_that_answers_otherwise_than_a_profile_that_is_well_refuses_a_deploy() {
        let says = || "429 Too Many Requests".to_owned();
        let config = config();
        let judge = |answered: &Answered, limited| judge_door(&config, answered, limited);
        assert_eq!(judge(&Answered::Release, false).severity, Severity::Good);
        let sick = Answered::Sick { status: 500, says: says() };
        assert_eq!(judge(&sick, false).severity, Severity::Warning, "the next one may do better");
        let limited = Answered::Limited(says());
        assert_eq!(judge(&limited, true).severity, Severity::Warning, "the next request may be within it");
        for no_release in [
            limited,
            Answered::Gateway { status: 502, says: says() },
            Answered::Other { status: 500, says: says() },
            Answered::Beside { status: 200, says: says() },
            Answered::Nobody(says()),
            Answered::Down(says()),
        ] {
            let found = judge(&no_release, false);
            assert!(found.severity == Severity::Fatal && found.what.ends_with(": 429 Too Many Requests"), "{found:?}");
            assert!(!found.what.contains("limit"), "no limit is known: {}", found.what);
        }
        for status in [200, 401, 403, 404] {
            assert_eq!(judge(&Answered::Other { status, says: says() }, false).severity, Severity::Fatal, "{status}");
        }
    }

    #[test]
    fn what_stands_in_for_an_app_that_nobody_serves_refuses_no_deploy() {
        let alone = |status, to| judge_alone(&config(), &answer(status, "", to)).map(|finding| finding.severity);
        assert_eq!(alone(502, None), None);
        assert_eq!(alone(401, None), Some(Severity::Fatal));
        assert_eq!(alone(301, Some("https://127.0.0.1/")), Some(Severity::Fatal));
        assert_eq!(alone(302, Some("http://127.0.0.1/sorry")), Some(Severity::Warning), "it may stand in for the app");
        assert_eq!(alone(302, Some("/sorry")), Some(Severity::Warning));
    }

    #[test]
    fn a_health_page_that_proves_nothing_is_named() {
        let profile = Profile::new("real1".parse().unwrap(), 8081).unwrap();
        let judge = |answer: Answer, body: &Body| {
            let finding = judge_health(&profile, Ok(answer), &StatusRanges::default(), body);
            kind(&finding)
        };
        assert_eq!(judge(answer(200, "text/plain", None), &Body::Any), (Severity::Good, "health"));
        assert_eq!(judge(answer(302, "", Some("/login")), &Body::Any), (Severity::Warning, "health-redirect"));
        assert_eq!(judge(answer(503, "", None), &Body::Any), (Severity::Warning, "health"));
        assert_eq!(judge(answer(200, "text/html", None), &Body::Any), (Severity::Warning, "health-html"));
        let hangs = Err(Unhealthy::NoAnswer("none within 2 s".to_owned()));
        let found = judge_health(&profile, hangs, &StatusRanges::default(), &Body::Any);
        assert_eq!(found.what, "real1 listens, and gives its health check no answer: none within 2 s");
        assert!(!found.fix().contains("health.url"), "it is no other page that is wanted: {}", found.fix());
        let body = Body::Text(bluegreen_core::Template::parse("x").unwrap());
        assert_eq!(judge(answer(200, "text/html", None), &body), (Severity::Good, "health"));
    }
}
