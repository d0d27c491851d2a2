use bluegreen_seeds::{
    proptest::{collection::vec, option, prelude::*, sample::select},
    texts,
};

use super::*;
use crate::{Cause, Failure, Kind, PLACEHOLDERS, Step, Transaction};

#[test]
fn templates_names_and_texts() {
    texts("template", template);
    texts("name", name);
    texts("sanitized", sanitized);
}

#[test]
fn states_and_events() {
    texts("state", state);
    texts("event", event);
}

fn a_release() -> impl Strategy<Value = ReleaseId> {
    "[a-z0-9][a-z0-9-]{0,63}".prop_map(|text| text.parse().unwrap())
}

fn a_profile() -> impl Strategy<Value = Profile> {
    ("[a-z][a-z0-9-]{0,31}", 1..=u16::MAX).prop_map(|(name, port)| Profile::new(name.parse().unwrap(), port).unwrap())
}

fn a_failure() -> impl Strategy<Value = Failure> {
    let cause = select(vec![Cause::Unhealthy, Cause::PortTaken, Cause::Route, Cause::Crashed, Cause::Aborted]);
    (select(Step::ALL.to_vec()), cause, any::<String>(), vec(any::<String>(), 0..3)).prop_map(
        |(step, cause, message, causes)| Failure {
            causes: causes.clone(),
            log: causes,
            ..Failure::new(step, cause, message)
        },
    )
}

fn a_transaction() -> impl Strategy<Value = Transaction> {
    let steps = (select(Step::ALL.to_vec()), select(Step::ALL.to_vec()));
    let kind = select(vec![Kind::Deploy, Kind::Rollback, Kind::Flip, Kind::Up, Kind::Warm]);
    let who = (option::of(a_profile()), a_profile(), a_release(), option::of(a_release()), option::of(any::<String>()));
    (any::<u64>(), kind, who, steps, any::<[bool; 7]>(), option::of(a_failure())).prop_map(
        |(number, kind, (from, to, release, old_release, proven), (step, until), facts, undo)| {
            let [breaking, drain, admitted, started, answered, standby_settled, sacrifices_standby] = facts;
            Transaction {
                number,
                kind,
                from,
                to,
                release,
                old_release,
                step,
                until,
                breaking,
                drain,
                admitted,
                started,
                proven,
                answered,
                standby_settled,
                sacrifices_standby,
                undo,
            }
        },
    )
}

fn a_state() -> impl Strategy<Value = State> {
    let stamp =
        (any::<String>(), any::<std::time::Duration>()).prop_map(|(boot, since_boot)| Stamp { boot, since_boot });
    let lost_traffic = bluegreen_seeds::proptest::collection::btree_map(
        a_profile().prop_map(|p| p.name().clone()),
        option::of(stamp),
        0..3,
    );
    (
        any::<u64>(),
        vec(a_release(), 0..4),
        vec(a_release(), 0..4),
        vec(a_release(), 0..2),
        lost_traffic,
        any::<bool>(),
        option::of(a_transaction()),
    )
        .prop_map(|(number, confirmed, failed, crashed, lost_traffic, lost, transaction)| State {
            number,
            confirmed,
            failed,
            crashed,
            lost_traffic,
            lost,
            transaction,
        })
}

proptest! {
    #![proptest_config(bluegreen_seeds::config())]

    #[test]
    fn every_state_comes_back_from_the_disk(written in a_state()) {
        let text = String::from_utf8(format::print(&written).unwrap()).unwrap();
        prop_assert_eq!(format::parse(&text, Path::new("state.json")), Ok(written));
        state(&text);
    }

    #[test]
    fn a_torn_state_is_damaged_and_never_another_one(written in a_state(), at in any::<bluegreen_seeds::proptest::sample::Index>()) {
        let text = String::from_utf8(format::print(&written).unwrap()).unwrap();
        let torn = String::from_utf8_lossy(&text.as_bytes()[..at.index(text.trim_end().len())]).into_owned();
        prop_assert!(format::parse(&torn, Path::new("state.json")).is_err(), "{}", torn);
    }

    #[test]
    fn a_template_has_each_placeholder_that_it_was_made_of(pieces in vec((select(PLACEHOLDERS.to_vec()), "[^{}$]{0,9}"), 0..6)) {
        let joined = |around: [&str; 2]| -> String {
            pieces.iter().flat_map(|(name, text)| [around[0], *name, around[1], text.as_str()]).collect()
        };
        let made = Template::parse(&joined(["{", "}"])).unwrap();
        prop_assert!(pieces.iter().all(|(name, _)| made.mentions(name)));
        prop_assert_eq!(made.render(|name| Some(format!("<{name}>"))), joined(["<", ">"]));
    }
}
