use std::time::Duration;

use bluegreen_core::{Blind, Process, Profiles, Stamp, Stranger};

use super::*;

const WELL: [Result<(), Unhealthy>; 2] = [Ok(()), Ok(())];

fn profiles() -> Profiles {
    let profile = |name: &str, port| Profile::new(name.parse().unwrap(), port).unwrap();
    Profiles::new(profile("real1", 8081), profile("real2", 8082)).unwrap()
}

fn ours(release: &str, listening: bool) -> Occupant {
    Occupant::Ours { process: Process::new(release.parse().unwrap(), release), listening }
}

fn stranger() -> Occupant {
    let mut who = Stranger::new();
    who.pid = Some(7);
    Occupant::stranger(who)
}

/// `real1` has the traffic.
fn seen(on: [Result<Occupant, Blind>; 2]) -> Seen {
    let profiles = profiles();
    let route = Route::solo(profiles.first().clone());
    Seen {
        profiles,
        traffic: Ok(route.into()),
        occupants: on,
        now: Stamp { boot: String::new(), since_boot: Duration::ZERO },
        interrupt: None,
        last: None,
    }
}

/// `real1` has the traffic, v1 was confirmed, and then v2.
fn judge(on: [Occupant; 2], health: &[Result<(), Unhealthy>; 2], change: impl Fn(&mut Seen, &mut State)) -> Verdict {
    let mut seen = seen(on.map(Ok));
    let mut state = State::default();
    for release in ["v1", "v2"] {
        state.confirm(&release.parse().unwrap());
    }
    change(&mut seen, &mut state);
    let policy = Policy::default();
    let facts = Facts { seen: &seen, state: &state, policy: &policy, health, user: "deploy" };
    facts.judge(|| "the proxy".to_owned(), |release| release.as_str() == "v2")
}

fn told(verdict: &Verdict) -> (Condition, &str, Option<&str>) {
    (verdict.condition, &verdict.says, verdict.next.as_deref())
}

fn as_it_is(_: &mut Seen, _: &mut State) {}

#[test]
fn only_an_active_release_that_answers_is_up() {
    let up = judge([ours("v2", true), ours("v1", true)], &WELL, as_it_is);
    assert_eq!(told(&up), (Condition::Up, "", None));
    let sick = [Err(Unhealthy::Sick("answers 503".into())), Ok(())];
    let sick = judge([ours("v2", true), ours("v1", true)], &sick, as_it_is);
    let says = "real1 has the traffic, and is not healthy: answers 503";
    assert_eq!(told(&sick), (Condition::Degraded, says, Some("bluegreen logs real1")));
    let hangs = [Err(Unhealthy::NoAnswer("timed out".into())), Ok(())];
    let warm = judge([ours("v2", true), ours("v1", true)], &hangs, as_it_is);
    assert_eq!((warm.condition, warm.next.as_deref()), (Condition::Down, Some("bluegreen recover")));
    let alone = judge([ours("v2", true), Occupant::Nobody], &hangs, as_it_is);
    assert_eq!((alone.condition, alone.next.as_deref()), (Condition::Down, Some("bluegreen recover")), "beside it");
    let full = judge([ours("v2", true), stranger()], &hangs, as_it_is);
    assert_eq!((full.condition, full.next.as_deref()), (Condition::Down, Some("bluegreen logs real1")));
}

#[test]
fn an_outage_is_said_with_the_command_that_ends_it() {
    let gone = |idle| judge([Occupant::Nobody, idle], &WELL, as_it_is);
    let says = "real1 has the traffic, and nothing runs there";
    assert_eq!(told(&gone(Occupant::Nobody)), (Condition::Down, says, Some("bluegreen recover")));
    assert_eq!(told(&gone(ours("v1", true))), (Condition::Down, says, Some("bluegreen recover")));
    let says = "real1 has the traffic, and what runs there does not listen";
    let deaf = judge([ours("v2", false), Occupant::Nobody], &WELL, as_it_is);
    assert_eq!(
        told(&deaf),
        (Condition::Down, says, Some("bluegreen recover")),
        "recovery starts another one beside it"
    );
    let not_stored = |_: &mut Seen, state: &mut State| state.confirmed = vec!["adopted".parse().unwrap()];
    let deaf = judge([ours("v2", false), Occupant::Nobody], &WELL, not_stored);
    assert_eq!(deaf.next.as_deref(), Some("bluegreen deploy ARTIFACT"));
}

#[test]
fn somebody_else_who_answers_the_users_is_named() {
    let says = "real1 has the traffic, and who answers there is not ours: pid 7 (unknown user)";
    let warm = judge([stranger(), ours("v1", true)], &WELL, as_it_is);
    assert_eq!(told(&warm), (Condition::Degraded, says, Some("bluegreen recover")));
    // it is started on the free profile
    let alone = judge([stranger(), Occupant::Nobody], &WELL, as_it_is);
    assert_eq!(told(&alone), (Condition::Degraded, says, Some("bluegreen recover")));
    let no_place = judge([stranger(), stranger()], &WELL, as_it_is);
    assert_eq!(told(&no_place), (Condition::Degraded, says, Some("sudo ss -ltnp")), "no release has a place");
    let of = |user: &str| {
        let mut who = Stranger::new();
        (who.pid, who.user) = (Some(7), Some(user.to_owned()));
        Occupant::stranger(who)
    };
    let next = |user| judge([of(user), stranger()], &WELL, as_it_is).next;
    assert_eq!([next("deploy"), next("mallory")].map(Option::unwrap), ["bluegreen adopt real1", "sudo ss -ltnp"]);
}

#[test]
fn a_standby_that_answers_has_failed_over() {
    let stands_by = |seen: &mut Seen, _: &mut State| {
        let (first, second) = (seen.profiles.first().clone(), seen.profiles.both()[1].clone());
        seen.traffic = Ok(Route { standby: Some(second), ..Route::solo(first) }.into());
    };
    let over = judge([Occupant::Nobody, ours("v1", true)], &WELL, stands_by);
    let says = "real1 is dead, real2 answers";
    assert_eq!(told(&over), (Condition::FailedOver, says, Some("bluegreen recover")));
    let sick = [Ok(()), Err(Unhealthy::Sick("answers 503".into()))];
    let over = judge([Occupant::Nobody, ours("v1", true)], &sick, stands_by);
    assert!(over.says.ends_with("which stands by, is not healthy: answers 503"), "{}", over.says);
    let over = judge([Occupant::Nobody, stranger()], &WELL, stands_by);
    let says = "real1 is dead, and who answers at its standby is not ours: pid 7 (unknown user)";
    assert_eq!(told(&over), (Condition::Degraded, says, Some("bluegreen recover")));
    let before = judge([ours("v2", true), stranger()], &WELL, stands_by);
    let says = "real1 serves, and who answers at its standby is not ours: pid 7 (unknown user)";
    assert_eq!(told(&before), (Condition::Degraded, says, Some("bluegreen recover")));
}

#[test]
fn what_cannot_be_seen_is_unknown() {
    let both = || [ours("v2", true), ours("v1", true)];
    let dark = judge(both(), &WELL, |seen, _| seen.traffic = Err(Blind::Route("x".into())));
    assert_eq!(told(&dark), (Condition::Unknown, "the route is not known: x", Some("the proxy")));
    let hidden = judge(both(), &WELL, |seen, _| {
        seen.occupants[0] = Err(Blind::Profile { profile: "real1".into(), reason: "x".into() });
    });
    assert_eq!(hidden.condition, Condition::Unknown);
    let taken_away = judge(both(), &WELL, |seen, _| seen.traffic = Ok(Traffic::NotSetUp("404".into())));
    assert_eq!((taken_away.condition, taken_away.next.as_deref()), (Condition::Unknown, Some(SET_UP)));
    let elsewhere = judge(both(), &WELL, |seen, _| seen.traffic = Ok(Traffic::Elsewhere("to :8080".into())));
    assert_eq!((elsewhere.condition, elsewhere.next.as_deref()), (Condition::Degraded, Some(FIRST_DEPLOY)));
}

#[test]
fn where_nothing_was_deployed_nothing_is_missed() {
    let nobody = || [Occupant::Nobody, Occupant::Nobody];
    let never = |_: &mut Seen, state: &mut State| *state = State::default();
    let empty = |on| judge(on, &WELL, never).condition;
    assert_eq!(empty(nobody()), Condition::Empty);
    assert_eq!(empty([stranger(), Occupant::Nobody]), Condition::Empty, "what the scripts left");
    assert_eq!(empty([ours("adopted", true), Occupant::Nobody]), Condition::Up);
    let before = judge(nobody(), &WELL, |seen, state| {
        never(seen, state);
        seen.traffic = Ok(Traffic::NotSetUp("404".into()));
    });
    assert_eq!((before.condition, before.next.as_deref()), (Condition::Empty, Some(SET_UP)));
    let lost = judge(nobody(), &WELL, |_, state| *state = State::default().outdated());
    assert_eq!((lost.condition, lost.next.as_deref()), (Condition::Down, Some(FIRST_DEPLOY)));
}

#[test]
fn who_cannot_be_seen_is_neither_healthy_nor_sick() {
    let blind = || Err(Blind::Profile { profile: "real1".to_owned(), reason: "hidden".to_owned() });
    let of = |on: Result<Occupant, Blind>, health: Result<(), Unhealthy>| {
        let (seen, state, policy) = (seen([on, Ok(Occupant::Nobody)]), State::default(), Policy::default());
        let health = [health, Ok(())];
        Facts { seen: &seen, state: &state, policy: &policy, health: &health, user: "deploy" }
            .healthy(seen.profiles.first())
    };
    assert_eq!(of(Ok(ours("v1", true)), Ok(())), Some(true));
    assert_eq!(of(Ok(ours("v1", true)), Err(Unhealthy::NoAnswer("late".into()))), Some(false));
    assert_eq!(of(blind(), Ok(())), None, "somebody answers well, and who that is nobody knows");
    assert_eq!(of(blind(), Err(Unhealthy::NoAnswer("who answers cannot be seen".into()))), None);
    assert_eq!(of(blind(), Err(Unhealthy::Refused("refused".into()))), Some(false));
}
