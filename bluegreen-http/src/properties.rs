//! What holds for each parser of this crate, whatever it is given. Held by `cargo test` against samples and mutations of
//! them, and by `testing/fuzz/run`.

use bluegreen_core::{Profile, Profiles, Template, sanitize};

use crate::{Answer, Body, StatusRanges, profile_endpoint, url};

/// A list of status codes says the same once printed, and has none that HTTP does not have.
pub fn statuses(text: &str) {
    let Ok(ranges) = text.parse::<StatusRanges>() else { return };
    assert_eq!(ranges.to_string().parse(), Ok(ranges.clone()));
    let held = (0..=u16::MAX).filter(|code| ranges.contain(*code));
    assert!(held.into_iter().all(|code| (100..=599).contains(&code)), "{text:?}");
}

/// What may be asked is on this machine, and what is dialled is what was given.
pub fn url(text: &str) {
    if let Ok(target) = url::Target::parse(text, None, false) {
        let host = target.url.host_str().unwrap().trim_matches(['[', ']']);
        let ip: std::net::IpAddr = host.parse().unwrap();
        assert!(ip.to_canonical().is_loopback() && !url::is_forbidden(ip), "{}", target.url);
        assert!(target.url.username().is_empty() && target.url.password().is_none());
        let again = url::Target::parse(target.url.as_str(), None, false).unwrap();
        assert_eq!((again.url, again.host), (target.url, target.host));
    }
    let connect = "127.0.0.1:9000".parse().unwrap();
    if let Ok(target) = url::Target::parse(text, Some(connect), false) {
        // by name over https: the address of the name is given to the client
        let dialled = target.url.scheme() == "https" && target.url.port().is_none();
        let to_it = (target.url.host_str(), target.url.port_or_known_default()) == (Some("127.0.0.1"), Some(9000));
        assert!(dialled || to_it, "{}", target.url);
    }
}

/// Whatever a server answers: what is said about it is one short line that controls no terminal, and only an exact name is
/// a route.
pub fn answer(bytes: &[u8]) {
    let (status, body) = bytes.split_first().map_or((200, bytes), |(first, rest)| (100 + u16::from(*first) * 2, rest));
    let text = String::from_utf8_lossy(body).into_owned();
    let location = Some(text.clone()).filter(|_| body.len() % 2 == 0);
    let answer =
        Answer { status, content_type: String::new(), location, body: body.to_vec(), truncated: body.len() % 3 == 0 };
    is_harmless(&answer.describe());
    let wanted = serde_json::json!({ "status": "UP", "components": { "db": { "status": "UP" } } });
    for wanted in [Body::Any, Body::Text(Template::parse("{profile}").unwrap()), Body::Json(wanted)] {
        if let Some(complaint) = wanted.complaint(&answer, |_| Some("real2".to_owned())) {
            is_harmless(&complaint);
        }
    }
    let profile = |name: &str, port| Profile::new(name.parse().unwrap(), port).unwrap();
    let profiles = Profiles::new(profile("real1", 8081), profile("real2", 8082)).unwrap();
    match profile_endpoint::route(&profiles, &answer) {
        Ok(route) => assert_eq!(text.trim(), route.active.name().as_str()),
        Err(reason) => is_harmless(&reason),
    }
}

fn is_harmless(line: &str) {
    assert_eq!(sanitize(line), *line);
    assert!(!line.contains('\n') && line.len() < 1000, "{line:?}");
}

#[cfg(test)]
mod tests {
    use bluegreen_seeds::{
        bytes,
        proptest::{collection::vec, prelude::*},
        texts,
    };

    #[test]
    fn hold() {
        texts("statuses", super::statuses);
        texts("url", super::url);
        bytes("answer", super::answer);
    }

    proptest! {
        #![proptest_config(bluegreen_seeds::config())]

        #[test]
        fn every_list_of_statuses_is_read(ranges in vec((100..=599u16, 100..=599u16), 1..5), code in 0..700u16) {
            let text: Vec<String> = ranges.iter().map(|(a, b)| format!(" {}-{} ", a.min(b), a.max(b))).collect();
            let read: crate::StatusRanges = text.join(",").parse().unwrap();
            let held = ranges.iter().any(|(a, b)| (a.min(b)..=a.max(b)).contains(&&code));
            prop_assert_eq!(read.contain(code), held);
        }
    }
}
