//! What the health page and the front door answer now.

use bluegreen_core::{Answer as Answered, FrontDoor as _, Occupant, Profile, Seen, Unhealthy};
use bluegreen_http::{Answer, Body, StatusRanges};

use super::Finding;
use crate::{config::Config, wiring};

/// The findings about the front door.
pub(super) const FRONT_DOOR: &str = "front-door";
/// What asks for a password: of nginx, and of a proxy on the way.
const PASSWORD: [u16; 2] = [401, 407];

pub(super) async fn look(config: &Config, seen: &Seen) -> Vec<Finding> {
    let active = seen.route().map(|route| &route.active);
    let running = active.filter(|active| matches!(seen.on(active), Ok(Occupant::Ours { listening: true, .. })));
    let mut findings = Vec::new();
    if let Some(profile) = running
        && let Ok(client) = wiring::health_client(config, profile)
    {
        findings.push(judge_health(profile, client.get().await, &config.health.status, &config.health.body));
    }
    findings.extend(door(config, seen).await);
    findings
}

/// What the front door answers, as far as it can be told whose answer that should be. `None`: that tells nothing.
pub(super) async fn door(config: &Config, seen: &Seen) -> Option<Finding> {
    let Some(profile) = behind(seen) else {
        let answer = wiring::door_client(config).ok()?.get().await.ok()?;
        return judge_alone(config, &answer);
    };
    let door = wiring::front_door(config).ok()?;
    let (answered, own) = tokio::join!(door.ask(profile), door.own_answer(profile));
    let redirected = match wiring::door_client(config).ok()?.get().await {
        Ok(answer) if answer.is_redirect() => Some(redirected(config, &answer)),
        _ => None,
    };
    let is_well = own.is_ok_and(|own| own.status < 400);
    // whoever is sick may be why: nginx may show another page in its place, or a page of before
    let mild = |finding: Finding| if is_well { finding } else { finding.milder() };
    Some(redirected.map_or_else(|| mild(judge_door(config, &answered)), mild))
}

/// Whose answer the front door should give: of who listens where nginx leads, ours or not.
fn behind(seen: &Seen) -> Option<&Profile> {
    seen.route().map(|route| &route.active).filter(|active| seen.listens(active))
}

fn judge_health(profile: &Profile, answer: Result<Answer, Unhealthy>, good: &StatusRanges, body: &Body) -> Finding {
    const FIX: &str = "set health.url to a page that answers 200 only when the app is ready";
    let answer = match answer {
        Ok(answer) => answer,
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

/// What is bad because nobody serves behind it, or because who serves is sick, the next deploy may cure. Another answer than that of
/// the profile none will.
fn judge_door(config: &Config, answered: &Answered) -> Finding {
    const FIX: &str = "set proxy.nginx.url to an address of this app, as users reach it, and `connect` to what to dial";
    let url = &config.nginx.url;
    match answered {
        Answered::Release => Finding::good(FRONT_DOOR, format!("{url} answers as the active profile does")),
        Answered::Limited(says) => Finding::warning(
            FRONT_DOOR,
            format!("{url} refuses requests beyond a limit, which users share with our probes: {says}"),
            "set proxy.nginx.url to a page without limit_req, or make the limit larger",
        ),
        Answered::Other { status, .. } if PASSWORD.contains(status) => password(config, *status),
        Answered::Other { status, says } if *status < 500 => {
            Finding::fatal(FRONT_DOOR, format!("{url} does not answer as the active profile does: {says}"), FIX)
        }
        other => {
            let what = format!("{url} does not answer as the active profile does: {}", other.says());
            Finding::warning(FRONT_DOOR, what, "bluegreen status, and a deploy of what should answer there")
        }
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
    use crate::doctor::Severity;

    fn config() -> Config {
        Config::parse(crate::config::SMALLEST, "bluegreen.toml".as_ref()).unwrap()
    }

    fn answer(status: u16, content_type: &str, location: Option<&str>) -> Answer {
        let (content_type, location) = (content_type.to_owned(), location.map(str::to_owned));
        Answer { status, content_type, location, body: b"x".to_vec(), truncated: false }
    }

    #[test]
    fn a_redirect_is_told_in_one_sentence() {
        let told = "http://127.0.0.1/ redirects to /login (302 Found), which proves no release";
        assert_eq!(redirected(&config(), &answer(302, "", Some("/login"))).what, told);
    }

    #[test]
    fn a_door_that_is_bad_because_nobody_serves_behind_it_refuses_no_deploy() {
        let says = || "x".to_owned();
        let judge = |answered| judge_door(&config(), &answered).severity;
        assert_eq!(judge(Answered::Release), Severity::Good);
        for cured in [
            Answered::Sick { status: 500, says: says() },
            Answered::Gateway { status: 502, says: says() },
            Answered::Limited(says()),
            Answered::Other { status: 500, says: says() },
            Answered::Nobody(says()),
        ] {
            assert_eq!(judge(cured.clone()), Severity::Warning, "{cured:?}");
        }
        for status in [200, 401, 403, 404] {
            assert_eq!(judge(Answered::Other { status, says: says() }), Severity::Fatal, "{status}");
        }
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
            (finding.severity, finding.id)
        };
        assert_eq!(judge(answer(200, "text/plain", None), &Body::Any), (Severity::Good, "health"));
        assert_eq!(judge(answer(302, "", Some("/login")), &Body::Any), (Severity::Warning, "health-redirect"));
        assert_eq!(judge(answer(503, "", None), &Body::Any), (Severity::Warning, "health"));
        assert_eq!(judge(answer(200, "text/html", None), &Body::Any), (Severity::Warning, "health-html"));
        let body = Body::Text(bluegreen_core::Template::parse("x").unwrap());
        assert_eq!(judge(answer(200, "text/html", None), &body), (Severity::Good, "health"));
    }
}
