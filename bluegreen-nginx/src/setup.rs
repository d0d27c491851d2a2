//! Putting marker mode in place, once, and taking it away again.
//!
//! [`Setup::plan`] and [`Setup::plan_removal`] say what would be written, with the text of each file before and after;
//! [`Setup::apply`] does it: route first (what serves now stays served), then the files, each with one rename and in an
//! order in which nginx could be started at any moment; then `nginx -t`, one reload, new workers, and a proof from nginx
//! itself. When nginx refuses or the proof fails, everything is put back. [`Setup::check`] says what differs.

mod apply;
mod check;
pub(crate) mod config;
mod edit;
mod error;
mod location;
mod plan;
#[cfg(any(test, fuzzing))]
pub(crate) mod properties;
mod removal;
mod survey;
pub(crate) mod tree;
pub(crate) mod walk;
pub(crate) mod write;

use std::path::PathBuf;

use bluegreen_core::{Name, Profile, Route};
use bluegreen_linux::users::User;

use crate::{Commands, MarkerResolver, Master, PlaceError, ProofLocation, RouteDir, Snippet, check_place};

pub use apply::Applied;
pub use check::{Difference, Repair, SETUP};
pub use error::SetupError;
pub(crate) use plan::place;
pub use survey::{Door, Limit, Passing, Place, Survey};
pub(crate) use tree::same;

/// The set-up of one app.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The app.
    pub app: Name,
    /// Its route directory, which is made when it is missing.
    pub route: RouteDir,
    /// Where nginx proves what it does.
    pub proof: ProofLocation,
    /// The nginx that runs: its new workers are the evidence of a reload.
    pub master: Master,
    /// How it is called.
    pub commands: Commands,
    /// Where our own files go, as `/etc/nginx`.
    pub nginx_dir: PathBuf,
    /// The file with the app's server block: needed when it cannot be told which one that is, or when the app is served
    /// from a third port.
    pub site: Option<PathBuf>,
    /// Who will deploy; `None` is who runs this.
    pub owner: Option<User>,
    /// Who had the traffic when it was last seen; or why that is not known.
    pub last: Result<Option<Profile>, String>,
    /// Takes a route directory where it would be lost: for tests and demos.
    pub allow_temporary: bool,
}

/// What a set-up or its removal would change. Nothing has been changed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The files, in the order in which they are written.
    pub edits: Vec<Edit>,
    /// The route to begin with; `None` when the one in effect stays.
    pub start: Option<Route>,
    /// Files of the owner that nginx still reads and that nothing uses afterwards, as the article's `service-url.inc`. They
    /// stay.
    pub unused: Vec<PathBuf>,
    goal: Goal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    SetUp,
    Removed,
}

/// One file that is written or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edit {
    /// Which one.
    pub path: PathBuf,
    /// Its text now; `None` when it does not exist.
    pub before: Option<String>,
    /// Its text afterwards; `None` when it is removed.
    pub after: Option<String>,
    /// Whether it is the owner's: such a file is copied first, and changed only after a yes.
    pub foreign: bool,
}

impl Setup {
    fn snippet(&self) -> Snippet {
        Snippet::new(self.app.clone(), self.route.clone())
    }

    fn resolver(&self) -> MarkerResolver {
        MarkerResolver::new(self.app.clone(), self.route.clone(), self.proof.clone()).with_master(self.master.clone())
    }

    fn owner(&self) -> User {
        self.owner.clone().unwrap_or_else(User::current)
    }

    fn check_place(&self) -> Result<(), PlaceError> {
        check_place(self.route.path(), self.owner().uid, self.allow_temporary)
    }

    /// Our file for the http level; as all three, only this app's.
    pub fn http_file(&self) -> PathBuf {
        self.nginx_dir.join(format!("conf.d/bluegreen-{}.conf", self.app))
    }

    /// Our file for the server block.
    pub fn server_file(&self) -> PathBuf {
        self.nginx_dir.join(format!("bluegreen/{}.server.inc", self.app))
    }

    /// Our file for the app's location.
    pub fn location_file(&self) -> PathBuf {
        self.nginx_dir.join(format!("bluegreen/{}.location.inc", self.app))
    }
}
