//! What the public types of the library promise: a deployer can be moved to a task, and every error to anybody.

use std::{error::Error, fmt::Debug};

use bluegreen_core as core;
use bluegreen_http as http;
use bluegreen_nginx as nginx;
use bluegreen_process as process;

fn shared<T: Debug + Send + Sync + 'static>() {}
fn value<T: Clone + PartialEq + Debug + Send + Sync + 'static>() {}
fn error<T: Error + Send + Sync + 'static>() {}

macro_rules! all {
    ($check:ident: $($type:ty),+ $(,)?) => { $($check::<$type>();)+ };
}

/// It is the compiler that runs this one.
#[test]
fn the_types_can_be_shared_compared_and_reported() {
    all!(shared:
        core::Deployer, core::Cancel, core::Events, core::FileStore, core::Lease, core::Options,
        dyn_types::Resolver, dyn_types::Switcher, dyn_types::Manager, dyn_types::Probe, dyn_types::Store,
        http::HttpProbe, http::FrontDoor, http::ProfileEndpoint, http::Client, http::Options, http::Body,
        nginx::MarkerResolver, nginx::MarkerSwitcher, nginx::ProofLocation, nginx::RouteDir, nginx::Snippet,
        nginx::Master, nginx::Commands, nginx::reload::IncludeResolver, nginx::reload::ReloadSwitcher,
        nginx::setup::Setup, nginx::setup::Plan,
        process::Processes, process::Config, process::Launch, process::Releases, process::ProcPorts, process::LsofPorts,
    );
    all!(value:
        core::Command, core::Event, core::EventKind, core::Failure, core::Holder, core::Name, core::Occupant,
        core::Outcome, core::Policy, core::Process, core::Profile, core::Profiles, core::Receipt, core::ReleaseId,
        core::Report, core::Route, core::Seen, core::Stamp, core::State, core::Template, core::Transaction,
        http::Answer, http::StatusRanges, process::Release, process::Spec,
        process::StopSignal, process::SignalTo, process::Listener,
    );
    all!(error:
        core::Failure, core::InvalidName, core::InvalidProfiles, core::InvalidReleaseId, core::ProcessError, core::Refusal,
        core::Blind, core::RunError, core::StoreError, core::SwitchError, core::Unhealthy, core::UnknownPlaceholder,
        http::ClientError, http::InvalidStatus, http::InvalidUrl,
        nginx::MasterError, nginx::PlaceError, nginx::RouteDirError, nginx::setup::SetupError,
        process::AdoptError, process::ReleaseError,
    );
}

/// A part of somebody else's making is wired behind a pointer.
mod dyn_types {
    use bluegreen_core::{HealthProbe, ProcessManager, ProfileResolver, ProxySwitcher, StateStore};

    pub(super) type Resolver = Box<dyn ProfileResolver>;
    pub(super) type Switcher = Box<dyn ProxySwitcher>;
    pub(super) type Manager = Box<dyn ProcessManager>;
    pub(super) type Probe = Box<dyn HealthProbe>;
    pub(super) type Store = Box<dyn StateStore>;
}
