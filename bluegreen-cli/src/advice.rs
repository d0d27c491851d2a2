//! What to type, for what was found at the front door and at nginx.

use bluegreen_core::{Blind, Refusal, RunError, Traffic};
use bluegreen_nginx::MasterError;
use rustix::process::geteuid;

use crate::{
    config::Config,
    report::{self, LISTENERS},
    wiring,
};

pub(crate) const SET_UP: &str = "sudo bluegreen setup --apply";
pub(crate) const FIRST_DEPLOY: &str = "bluegreen deploy ARTIFACT";

/// What the proxy says, or why that is not known.
pub(crate) fn said(traffic: &Result<Traffic, Blind>) -> String {
    traffic.as_ref().map_or_else(ToString::to_string, ToString::to_string)
}

/// What to type when neither profile is known to have the traffic: of the nginx that is meant, which need not be the system's.
pub(crate) fn for_traffic(traffic: &Result<Traffic, Blind>, config: &Config) -> String {
    let test = || wiring::typed_test(config);
    match (traffic, wiring::master(config).pid()) {
        (Ok(Traffic::NotSetUp(_)) | Err(Blind::Differs(_)), _) => SET_UP.to_owned(),
        (Ok(Traffic::Elsewhere(_)), _) => FIRST_DEPLOY.to_owned(),
        (_, Ok(_)) => format!("{} && bluegreen check", test()),
        (_, Err(MasterError::NotRunning(_))) => format!("{} && sudo systemctl start nginx && bluegreen check", test()),
        // which one, and what is in the way, is a longer story
        _ => "bluegreen check".to_owned(),
    }
}

/// What to do where root runs nothing.
const BY_HAND: &str = "put in what `bluegreen setup --print http|server|location` prints, by hand";
/// What to do when the pid file names no nginx that runs.
const OTHER_NGINX: &str =
    "start that nginx, or correct pid_file in [proxy.nginx]: `ps -C nginx -o pid,args` shows which ones run";

/// What to do where nothing tells several nginx apart.
const WHICH_NGINX: &str = "name the pid file of the one that is meant as pid_file in [proxy.nginx]: `ps -C nginx -o pid,args` shows \
     which ones run";

/// What to do about an nginx that is not called.
pub(crate) fn for_master(error: &MasterError) -> String {
    match error {
        MasterError::PidFile(_) => OTHER_NGINX.to_owned(),
        // root sees which of them holds the front door
        MasterError::Several(_) if !geteuid().is_root() => SET_UP.to_owned(),
        MasterError::Several(_) => WHICH_NGINX.to_owned(),
        MasterError::Gone(_) => format!("{}, then {SET_UP}", report::install("nginx")),
        MasterError::Held { .. } => LISTENERS.to_owned(),
        MasterError::Stranger(_) => format!("{LISTENERS}; if it leads to nginx in a container, {BY_HAND}"),
        MasterError::Foreign { uid, .. } => {
            format!("as that user: sudo -u '#{uid}' bluegreen setup --apply")
        }
        MasterError::Other { running: Some(program), .. } => {
            format!("program = \"{}\" in [proxy.nginx], then {SET_UP}", program.display())
        }
        MasterError::Elsewhere(_) | MasterError::Other { .. } | MasterError::Unsafe(_) => BY_HAND.to_owned(),
        // the words of the system say why, as that too many files are open
        MasterError::Unseen(_) => format!("put that right, then {SET_UP}"),
        _ => "bluegreen check".to_owned(),
    }
}

/// What to do about a run that was refused, where it is more than the refusal says.
pub(crate) fn for_run(error: &RunError, config: &Config) -> Option<String> {
    let RunError::Refused { refusal, .. } = error else { return None };
    match refusal {
        Refusal::Blind(blind) => Some(for_traffic(&Err(blind.clone()), config)),
        Refusal::NotSetUp(_) => Some(SET_UP.to_owned()),
        Refusal::Elsewhere(_) => Some(FIRST_DEPLOY.to_owned()),
        _ => None,
    }
}

/// What makes an app listen where nginx dials it, and nowhere else.
pub(crate) const ON_LOOPBACK: &str = "let it listen on 127.0.0.1, as with `--server.address=127.0.0.1`";
