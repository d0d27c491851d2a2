//! All that is tried, one file for each area.

mod check;
mod door;
mod ground;
mod hooks;
mod listeners;
mod master;
mod outage;
mod records;
mod recovery;
mod route;
mod seldom;
mod sentences;
mod signals;
mod store;
mod strangers;
mod trust;
mod waits;

use super::{Verdict, place::Place};

/// What an input is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// 0.1.0 falls, today's holds.
    Fault,
    /// Both hold: what is right must not be locked out by the cure.
    Control,
}

/// A point of the list that the inputs came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub(super) point: &'static str,
    /// In few words.
    pub(super) what: &'static str,
    pub(super) inputs: &'static [Input],
}

/// One thing that is tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input {
    pub(super) name: &'static str,
    /// In few words.
    pub(super) attacks: &'static str,
    pub(super) kind: Kind,
    /// Also in the sample.
    pub(super) quick: bool,
    pub(super) run: fn(&Place) -> Verdict,
}

impl Input {
    const fn fault(name: &'static str, attacks: &'static str, run: fn(&Place) -> Verdict) -> Self {
        Self { name, attacks, kind: Kind::Fault, quick: false, run }
    }

    const fn control(name: &'static str, attacks: &'static str, run: fn(&Place) -> Verdict) -> Self {
        Self { kind: Kind::Control, ..Self::fault(name, attacks, run) }
    }

    const fn quick(self) -> Self {
        Self { quick: true, ..self }
    }
}

pub(super) const AREAS: [Area; 17] = [
    master::AREA,
    ground::AREA,
    trust::AREA,
    hooks::AREA,
    listeners::AREA,
    store::AREA,
    waits::AREA,
    strangers::AREA,
    records::AREA,
    route::AREA,
    sentences::AREA,
    door::AREA,
    outage::AREA,
    check::AREA,
    recovery::AREA,
    signals::AREA,
    seldom::AREA,
];

/// All of them, in the order of the table.
pub(super) fn all() -> impl Iterator<Item = Input> {
    AREAS.into_iter().flat_map(|area| area.inputs).copied()
}
