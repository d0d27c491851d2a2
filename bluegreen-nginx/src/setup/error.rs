//! Why a set-up did not happen.

use std::{io, path::PathBuf};

use bluegreen_core::Name;

use super::Place;
use crate::{MasterError, PlaceError, RouteDirError, argv::Failed, master::LIKELY};

/// Why nginx was not set up, or the set-up not removed. Unless it says otherwise, nothing has been changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// nginx does not take its configuration, as it is now or as we changed it (and changed it back).
    #[error("{0}")]
    Nginx(String),
    /// The nginx that runs cannot be told, or its workers not seen.
    #[error(transparent)]
    Master(#[from] MasterError),
    /// A file could not be read or written.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried, as `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A configuration file makes no sense to us.
    #[error("cannot read {path}, line {line}: {reason}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// The app's location cannot be changed without changing what it does.
    #[error("{path}, line {line}: {reason}")]
    Location {
        /// The file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// What is in the way, and what to do.
        reason: String,
    },
    /// No server block sends anything to the app.
    #[error("no location of nginx goes to this app")]
    NoLocation {
        /// The first profile's port.
        port: u16,
        /// The first server block.
        server: Option<Place>,
    },
    /// Several ports could be meant.
    #[error("nginx sends requests to ports {}, and it is not clear which is this app", list(.ports))]
    Ambiguous {
        /// The ports.
        ports: Vec<u16>,
    },
    /// nginx sends requests to both profiles, and which of them serves cannot be told.
    #[error("nginx sends requests to both profiles: {}", places(.0))]
    BothProfiles(Vec<Place>),
    /// The app runs on a third port, and stays there until a profile can take over.
    #[error("the app is served from port {port}, which is neither profile, and no profile is prepared to take over")]
    NeedsPrepared {
        /// The port that serves now.
        port: u16,
    },
    /// nginx has the app's ports of before, and another meaning of them would move users.
    #[error("nginx leads users to port {port}, and the configuration does not have that port where nginx has it")]
    Ports {
        /// The port that serves now.
        port: u16,
    },
    /// Where nginx leads users now.
    #[error("where nginx leads users now is not known: {0}")]
    Unseen(String),
    /// Who had the traffic last, where both profiles run.
    #[error("both profiles run, and which of them had the traffic last is not known: {0}")]
    Forgotten(String),
    /// The text was put in by hand.
    #[error("the snippet of this app stands in {path}, where somebody put it by hand")]
    ByHand {
        /// The file.
        path: PathBuf,
    },
    /// Another user's app has this name.
    #[error("nginx has {app} of user {user} already, with its route in {route}")]
    OfAnother {
        /// The app.
        app: Name,
        /// Its route directory.
        route: PathBuf,
        /// Whose that is.
        user: String,
    },
    /// The owner's files would change, and nobody said yes.
    #[error("this changes {}, which is not bluegreen's, and nobody has agreed", paths(.0))]
    NotAgreed(Vec<PathBuf>),
    /// Somebody changed the file after the plan was made.
    #[error("{0} was changed meanwhile")]
    Changed(PathBuf),
    /// The route directory.
    #[error(transparent)]
    Route(#[from] RouteDirError),
    /// The place of the route directory.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The workers of before still take connections: nginx refused the reload without a word.
    #[error("the reload had no effect, everything was put back; {LIKELY}")]
    NotReloaded,
    /// nginx does not say what it should after the reload, or nothing.
    #[error("nginx does not prove the change, everything was put back: {0}")]
    NotProven(String),
    /// After a removal nginx still has the set-up.
    #[error("nginx still follows the route after the reload, everything was put back")]
    NotRemoved,
    /// Putting things back failed too.
    #[error("putting the files back failed ({undo}) after: {reason}; the copies are in {backups}")]
    NotUndone {
        /// What went wrong first.
        reason: String,
        /// What went wrong then.
        undo: String,
        /// Where the copies are.
        backups: PathBuf,
    },
}

impl From<Failed> for SetupError {
    fn from(failed: Failed) -> Self {
        Self::Nginx(failed.to_string())
    }
}

fn list(ports: &[u16]) -> String {
    ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

fn places(places: &[Place]) -> String {
    places.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

fn paths(paths: &[PathBuf]) -> String {
    paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(" and ")
}
