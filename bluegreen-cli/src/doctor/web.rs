//! What the health page and the front door answer now.

use bluegreen_core::{Answer as Answered, FrontDoor as _, Occupant, Profile, Seen, Unhealthy};
use bluegreen_http::{Answer, Body, StatusRanges};

use super::Finding;
use crate::{config::Config, wiring};

/// The findings about the front door.
pub(super) const FRONT_DOOR: &str = "front-door";

pub(super) async fn look(config: &Config, seen: &Seen) -> Vec<Finding> {
    let active = seen.route().map(|route| &route.active);
    let running = active.filter(|active| matches!(seen.on(active), Ok(Occupant::Ours { listening: true, .. })));
    let mut findings = Vec::new();
    if let Some(profile) = running {
        if let Ok(client) = wiring::health_client(config, profile) {
            findings.push(judge_health(profile, client.get().await, &config.health.status, &config.health.body));
        }
        if let Ok(door) = wiring::front_door(config) {
            findings.push(judge_door(config, &door.ask(profile).await));
        }
    }
    // what leads elsewhere proves no release, whoever runs
    if let Ok(client) = wiring::door_client(config)
        && let Ok(answer) = client.get().await
        && answer.is_redirect()
    {
        findings.retain(|finding| finding.id != FRONT_DOOR);
        findings.push(redirected(config, &answer));
    }
    findings
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
        let id = if answer.is_redirect() { "health-redirect" } else { "health" };
        return Finding::fatal(id, format!("{what}: no release that does so is ever healthy"), FIX);
    }
    if answer.is_html() && matches!(body, Body::Any) {
        let fix = "set health.url to a page for machines, or health.body to what only a ready app says";
        return Finding::warning("health-html", format!("{what}: a login or error page would do as well"), fix);
    }
    Finding::good("health", what)
}

fn judge_door(config: &Config, answered: &Answered) -> Finding {
    match answered {
        Answered::Release => {
            Finding::good(FRONT_DOOR, format!("{} answers as the active profile does", config.nginx.url))
        }
        Answered::Limited(says) => Finding::warning(
            FRONT_DOOR,
            format!("{} refuses requests beyond a limit, which users share with our probes: {says}", config.nginx.url),
            "set proxy.nginx.url to a page without limit_req, or make the limit larger",
        ),
        other => Finding::fatal(
            FRONT_DOOR,
            format!("{} does not answer as the active profile does: {}", config.nginx.url, other.says()),
            "set proxy.nginx.url to an address of this app, as users reach it, and `connect` to what to dial",
        ),
    }
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

    fn answer(status: u16, content_type: &str, location: Option<&str>) -> Answer {
        let (content_type, location) = (content_type.to_owned(), location.map(str::to_owned));
        Answer { status, content_type, location, body: b"x".to_vec(), truncated: false }
    }

    #[test]
    fn a_redirect_is_told_in_one_sentence() {
        let config = Config::parse(crate::config::SMALLEST, "bluegreen.toml".as_ref()).unwrap();
        let told = "http://127.0.0.1/ redirects to /login (302 Found), which proves no release";
        assert_eq!(redirected(&config, &answer(302, "", Some("/login"))).what, told);
    }

    #[test]
    fn a_health_page_that_proves_nothing_is_named() {
        let profile = Profile::new("real1".parse().unwrap(), 8081).unwrap();
        let judge = |answer: Answer, body: &Body| {
            let finding = judge_health(&profile, Ok(answer), &StatusRanges::default(), body);
            (finding.severity, finding.id)
        };
        assert_eq!(judge(answer(200, "text/plain", None), &Body::Any), (Severity::Good, "health"));
        assert_eq!(judge(answer(302, "", Some("/login")), &Body::Any), (Severity::Fatal, "health-redirect"));
        assert_eq!(judge(answer(503, "", None), &Body::Any), (Severity::Fatal, "health"));
        assert_eq!(judge(answer(200, "text/html", None), &Body::Any), (Severity::Warning, "health-html"));
        let body = Body::Text(bluegreen_core::Template::parse("x").unwrap());
        assert_eq!(judge(answer(200, "text/html", None), &body), (Severity::Good, "health"));
    }
}
