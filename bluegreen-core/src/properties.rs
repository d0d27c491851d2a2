//! What holds for each parser of this crate, whatever it is given. Held by `cargo test` against samples and mutations of
//! them, and by `testing/fuzz/run`.

use std::path::Path;

use crate::{
    Blind, Command, Event, Name, Occupant, Policy, Process, Profile, Profiles, ReleaseId, Route, Seen, Stamp, State,
    Step, Stranger, Template, Traffic,
    file_store::format,
    machine::{Then, Tried, begin, recover, step},
    sanitize,
};

/// A template says again what it was made of, and an error points at its place.
pub fn template(text: &str) {
    match Template::parse(text) {
        Ok(template) => {
            assert_eq!(template.to_string(), text);
            assert_eq!(Template::parse(&template.to_string()), Ok(template));
        }
        Err(error) => assert!(text[error.at..].starts_with(&format!("{{{}}}", error.name)), "{error:?}"),
    }
}

/// What is a name is one everywhere: no path, no option, no word of a shell.
pub fn name(text: &str) {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match Name::try_from(text) {
        Ok(name) => {
            assert_eq!(name.as_str(), text);
            assert!(text.chars().all(plain) && text.starts_with(|c: char| c.is_ascii_lowercase()), "{text:?}");
        }
        Err(error) => assert!(error.to_string().len() < 1000),
    }
    match ReleaseId::try_from(text) {
        Ok(id) => {
            assert_eq!(id.as_str(), text);
            assert!(text.chars().all(plain) && !text.starts_with('-') && text.len() <= 64, "{text:?}");
            assert!(text.starts_with(id.short()) && !id.short().is_empty());
        }
        Err(error) => assert!(error.to_string().len() < 2000),
    }
}

/// A state is read, or damaged in words; a read one says the same once written, and the machine has an answer to it.
pub fn state(text: &str) {
    let path = Path::new("state.json");
    let Ok(state) = format::parse(text, path) else { return };
    let written = String::from_utf8(format::print(&state).unwrap()).unwrap();
    assert_eq!(format::parse(&written, path), Ok(state.clone()));
    if let Some(tx) = &state.transaction {
        assert!(tx.profiles().all(|profile| profile.port() != 0), "{tx:?}");
    }
    for seen in sights(&state) {
        has_an_answer(&state, &seen);
    }
}

/// The machine is total: whatever was written down, and whatever is so.
fn has_an_answer(state: &State, seen: &Seen) {
    let policy = Policy::default();
    let _ = recover(state, seen, &policy, Tried::default());
    let release = || "v9".parse().unwrap();
    let promote = Command::Promote { release: None, until: Step::Retire, drain: false };
    let back = Command::Rollback { release: None, only: None };
    for command in
        [Command::deploy(release()), promote, back, Command::Up, Command::Abort { release: None }, Command::Recover]
    {
        let _ = begin(state, &command, seen, &policy);
    }
    let mut state = state.clone();
    // the world stands still: whatever is asked for, nothing comes of it
    for _ in 0..10 {
        let next = step(&state, seen, &policy);
        assert!(state.transaction.is_some() || matches!(next.then, Then::End(_)));
        state = next.state;
    }
}

/// What may be so when a state is found: with the profiles of its transaction, and with others.
fn sights(state: &State) -> Vec<Seen> {
    let profile = |name: &str, port| Profile::new(name.parse().unwrap(), port).unwrap();
    let named = state.transaction.as_ref().and_then(|tx| Profiles::new(tx.from.clone()?, tx.to.clone()).ok());
    let profiles = named.unwrap_or_else(|| Profiles::new(profile("real1", 8081), profile("real2", 8082)).unwrap());
    let release = state.transaction.as_ref().map(|tx| tx.release.clone());
    let release = release.or_else(|| state.last_good().cloned()).unwrap_or_else(|| "v1".parse().unwrap());
    let ours = Ok(Occupant::Ours { process: Process::new(release, "a"), listening: true });
    let (first, second) = (profiles.first(), profiles.second());
    let routes = [
        Ok(Route::solo(first.clone()).into()),
        Ok(Route::with_standby(second.clone(), first.clone()).into()),
        Err(Blind::Route("silence".to_owned())),
        Ok(Traffic::NotSetUp("404".to_owned())),
        Ok(Traffic::Elsewhere("port 8080".to_owned())),
    ];
    let dark = Err(Blind::Profile { profile: "real1".to_owned(), reason: "it is dark".to_owned() });
    let (nobody, stranger) = (Ok(Occupant::Nobody), Ok(Occupant::stranger(Stranger::new())));
    let occupants = [[nobody.clone(), ours.clone()], [ours.clone(), ours.clone()], [stranger, nobody], [dark, ours]];
    let now = Stamp { boot: "b".to_owned(), since_boot: std::time::Duration::from_secs(9) };
    let seen = |(traffic, occupants): (&Result<Traffic, Blind>, &[Result<Occupant, Blind>; 2])| Seen {
        profiles: profiles.clone(),
        traffic: traffic.clone(),
        occupants: occupants.clone(),
        now: now.clone(),
        interrupt: None,
        last: None,
    };
    routes.iter().flat_map(|route| occupants.iter().map(move |two| (route, two))).map(seen).collect()
}

/// An event is skipped, or says the same once written.
pub fn event(line: &str) {
    let Ok(event) = serde_json::from_str::<Event>(line) else { return };
    let written = serde_json::to_string(&event).unwrap();
    assert!(!written.contains('\n'), "one event is one line");
    assert_eq!(serde_json::from_str::<Event>(&written).unwrap(), event);
}

/// A text for a terminal has nothing that acts on one, and is not cleaned twice.
pub fn sanitized(text: &str) {
    let clean = sanitize(text);
    assert!(clean.chars().all(|c| c == '\n' || !c.is_control()), "{clean:?}");
    assert!(!clean.contains(['\u{200b}', '\u{202e}', '\u{2028}', '\u{2066}', '\u{feff}', '\u{e0041}']), "{clean:?}");
    assert_eq!(sanitize(&clean), clean);
    assert!(clean.len() <= text.len());
}

#[cfg(test)]
mod tests;
