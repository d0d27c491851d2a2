//! What a set-up would change.

use std::{
    fs, io,
    net::Ipv4Addr,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use bluegreen_core::{Blind, Profile, ProfileResolver, Route};
use bluegreen_linux::{
    ports::{is_answered, listening},
    users,
};

use super::{
    Edit, Goal, Place, Plan, Setup, SetupError,
    config::{self, Directive, line_of},
    edit::{self, Change},
    tree::{Pass, Server, Tree, loopback_port, matches, same},
    walk, write,
};
use crate::{RouteDirError, marker::Lead};

impl Setup {
    /// What [`Setup::apply`] would do. `prepared` is a profile that runs and is healthy, for a machine whose app is served
    /// from a third port: the route begins there.
    ///
    /// # Errors
    /// [`SetupError`] says what has to be done by hand, with file and line. Nothing was changed.
    pub async fn plan(&self, prepared: Option<&Profile>) -> Result<Plan, SetupError> {
        self.check_place()?;
        let tree = self.tree().await?;
        let resolver = self.resolver();
        let in_effect = resolver.resolve().await.is_ok_and(|traffic| traffic.route().is_some());
        let by_hand = self.put_in_by_hand(&tree).is_some();
        let (passes, port) = if by_hand { (Vec::new(), None) } else { self.passes(&tree)? };
        let edits = if by_hand { Vec::new() } else { self.edits(&tree, &passes)? };
        // where nginx's files have no set-up, whoever answers there leads nobody by one
        let has_it = by_hand || self.is_included(&tree);
        let leads = resolver.leads().await.or_else(|blind| if has_it { Err(blind) } else { Ok(None) });
        let reads_it = edits.iter().all(|edit| edit.path != self.server_file());
        let start = if in_effect { None } else { self.start(port, leads, reads_it, prepared)? };
        Ok(Plan { edits, start, unused: unused(&tree, &passes), goal: Goal::SetUp })
    }

    /// What is to be written.
    pub(super) fn edits(&self, tree: &Tree, passes: &[Pass<'_>]) -> Result<Vec<Edit>, SetupError> {
        let owners = edit::edits(tree, self.changes(tree, passes)?)?;
        let mut edits = self.own_files(tree, passes, &owners)?;
        edits.extend(owners);
        Ok(edits)
    }

    pub(super) async fn tree(&self) -> Result<Tree, SetupError> {
        match self.commands.files().await {
            Ok(files) => Tree::read(files, self.site.as_deref()),
            // what nginx lacks then is what we write
            Err(refused) if self.repairs(&refused.to_string()).await => self.walked().await,
            Err(refused) => Err(refused.into()),
        }
    }

    /// Whether nginx's `refusal` of its configuration comes of a file of ours that is gone, or that somebody changed: then
    /// [`Setup::apply`] puts it right.
    pub async fn repairs(&self, refusal: &str) -> bool {
        let Ok(tree) = self.walked().await else { return false };
        let is_named = |path: &Path| refusal.contains(&*path.to_string_lossy());
        let changed = |edit: &Edit| !edit.foreign && edit.before.is_some() && is_named(&edit.path);
        let edits = self.passes(&tree).and_then(|(passes, _)| self.edits(&tree, &passes));
        self.lacks_ours(&tree) || edits.is_ok_and(|edits| edits.iter().any(changed))
    }

    /// The configuration as the files say, without asking nginx.
    pub(super) async fn walked(&self) -> Result<Tree, SetupError> {
        Tree::read(walk::files(&self.commands.configuration().await), self.site.as_deref())
    }

    /// Whether this is set up, and a file of ours is gone: nginx takes no configuration without it.
    pub(super) fn lacks_ours(&self, tree: &Tree) -> bool {
        let (server, location) = (self.server_file(), self.location_file());
        let (has_server, has_location) = (tree.includes(&server), tree.includes(&location));
        (has_server || has_location)
            && (!self.http_file().exists() || has_server && !server.exists() || has_location && !location.exists())
    }

    /// The file in which the snippet stands, when that is none of ours.
    pub(super) fn put_in_by_hand<'a>(&self, tree: &'a Tree) -> Option<&'a Path> {
        let group = self.snippet().group(self.route.profiles().first());
        let (file, _) = tree.upstreams().find(|(_, upstream)| upstream.arg() == group)?;
        (!same(&file.path, &self.http_file())).then_some(file.path.as_path())
    }

    /// The `proxy_pass`es that become ours, and the port that nginx sends them to; none when all of them are ours already.
    pub(super) fn passes<'a>(&self, tree: &'a Tree) -> Result<(Vec<Pass<'a>>, Option<u16>), SetupError> {
        let in_site = |pass: &Pass<'_>| self.site.as_ref().is_none_or(|site| same(site, &tree.files[pass.file].path));
        let port = |pass: &Pass<'_>| tree.target(pass.directive.arg()).map(|(port, _)| port);
        let all: Vec<(Pass<'_>, u16)> =
            tree.passes().into_iter().filter(in_site).filter_map(|pass| port(&pass).map(|port| (pass, port))).collect();
        let profiles = self.route.profiles();
        let (to_a_profile, elsewhere): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(_, port)| profiles.on_port(*port).is_some());
        let meant = match (to_a_profile.is_empty(), self.is_included(tree)) {
            (true, true) => return Ok((Vec::new(), None)),
            // somebody else's app must not be taken for ours: only the article's way, or a file that was named
            (true, false) => elsewhere
                .into_iter()
                .filter(|(pass, _)| self.site.is_some() || pass.directive.arg().starts_with('$'))
                .collect(),
            (false, _) => to_a_profile,
        };
        let mut ports: Vec<u16> = meant.iter().map(|(_, port)| *port).collect();
        ports.sort_unstable();
        ports.dedup();
        match ports[..] {
            [] => Err(self.group_of_both(tree).unwrap_or_else(|| self.no_location(tree))),
            [port] => Ok((meant.into_iter().map(|(pass, _)| pass).collect(), Some(port))),
            // the route says by now which profile serves, and these do not ask it
            _ if self.is_included(tree) => Ok((meant.into_iter().map(|(pass, _)| pass).collect(), None)),
            _ if ports.iter().all(|port| profiles.on_port(*port).is_some()) => {
                let places = meant.iter().map(|(pass, _)| place(tree, pass.file, pass.directive)).collect();
                Err(SetupError::BothProfiles(places))
            }
            _ => Err(SetupError::Ambiguous { ports }),
        }
    }

    /// A `proxy_pass` to a group with one of our ports among others: which one serves cannot be told.
    fn group_of_both(&self, tree: &Tree) -> Option<SetupError> {
        let ours = |d: &Directive| {
            d.name == "server"
                && loopback_port(d.arg()).is_some_and(|port| self.route.profiles().on_port(port).is_some())
        };
        let has_ours = |name: &str| tree.upstreams().any(|(_, d)| d.arg() == name && d.inner().iter().any(ours));
        let name = |pass: &Pass<'_>| {
            pass.directive.arg().strip_prefix("http://").map(|rest| rest.trim_end_matches('/').to_owned())
        };
        let pass = tree.passes().into_iter().find(|pass| name(pass).is_some_and(|name| has_ours(&name)))?;
        let port = self.route.profiles().first().port();
        let reason = format!(
            "`proxy_pass {}` goes to a group of several servers: write `proxy_pass http://127.0.0.1:{port};` there, with the \
             port that serves now",
            pass.directive.arg()
        );
        Some(at(tree, pass.file, pass.directive, reason))
    }

    fn no_location(&self, tree: &Tree) -> SetupError {
        let server = tree.servers().first().map(|server| place(tree, server.file, server.directive));
        SetupError::NoLocation { port: self.route.profiles().first().port(), server }
    }

    fn is_included(&self, tree: &Tree) -> bool {
        tree.servers().iter().any(|s| tree.include_of(s.directive.inner(), &self.server_file()).is_some())
    }

    /// The route to begin with, where `port` is what nginx sends requests to now. A profile on that port keeps them, also when
    /// nobody listens there at this moment. What nginx `leads` to by a set-up of before comes first, unless it `reads_it` in this
    /// very directory. Where nginx led to neither, it is who had the traffic last, else what runs counts, and with nothing running
    /// the first deploy goes to the first profile. What is not known is asked for only where it decides.
    fn start(
        &self,
        port: Option<u16>,
        leads: Result<Option<Lead>, Blind>,
        reads_it: bool,
        prepared: Option<&Profile>,
    ) -> Result<Option<Route>, SetupError> {
        // files in place, nginx not there yet: a set-up was interrupted, and its route still holds
        let holds = port.is_none() && self.has_live()?;
        if holds && reads_it {
            return Ok(None);
        }
        if let Some(lead) = leads.map_err(|blind| SetupError::Unseen(blind.to_string()))?
            && let Some(kept) = self.keep(lead)?
        {
            return Ok(Some(kept));
        }
        let profiles = self.route.profiles();
        if let Some(served) = port.and_then(|port| profiles.on_port(port)) {
            return Ok(Some(Route::solo(served.clone())));
        }
        if holds {
            return Ok(None);
        }
        if let (None, Ok(Some(last))) = (port, &self.last) {
            return Ok(Some(Route::solo(last.clone())));
        }
        let (first, second) = (runs(profiles.first().port())?, runs(profiles.second().port())?);
        let active = match (port, prepared, &self.last) {
            (Some(_), Some(prepared), _) => prepared,
            (Some(port), None, _) if serves(port)? => return Err(SetupError::NeedsPrepared { port }),
            (None, _, Err(why)) if first && second => return Err(SetupError::Forgotten(why.clone())),
            _ if first && !second => profiles.first(),
            _ => profiles.second(),
        };
        Ok(Some(Route::solo(active.clone())))
    }

    /// Whether a route is written there. One that makes no sense is none, for nginx too.
    fn has_live(&self) -> Result<bool, SetupError> {
        match self.route.read() {
            Ok(live) => Ok(live.is_some()),
            Err(RouteDirError::Target { .. } | RouteDirError::InTheWay(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The route to where nginx leads by a set-up of before; `None`: to a port of nobody, which has no users.
    fn keep(&self, lead: Lead) -> Result<Option<Route>, SetupError> {
        let profiles = self.route.profiles();
        let kept = lead.route(profiles);
        // the markers in one directory say first or second, and nginx takes them by its ports of before until it is reloaded
        let turned = kept.as_ref().is_some_and(|kept| (kept.active == *profiles.second()) != lead.second);
        let lost = kept.is_none() || turned && self.route_read()?.as_deref() == Some(self.route.path());
        if lost && serves(lead.port)? {
            return Err(SetupError::Ports { port: lead.port });
        }
        Ok(kept)
    }

    /// Our own files, as far as they differ; first those that nothing includes yet. The one of the location only where
    /// something includes it, now or after the changes of the `owners` files.
    fn own_files(&self, tree: &Tree, passes: &[Pass<'_>], owners: &[Edit]) -> Result<Vec<Edit>, SetupError> {
        let snippet = self.snippet();
        let location = (self.location_file(), snippet.location());
        let named = location.0.to_string_lossy();
        let will_be = owners.iter().filter_map(|edit| edit.after.as_ref()).any(|text| text.contains(&*named));
        let is_used = will_be || tree.includes(&location.0);
        let mut files = vec![
            (self.server_file(), snippet.server(!self.has_file_cache(tree, passes)?)),
            (self.http_file(), snippet.http()),
        ];
        if is_used {
            files.insert(1, location);
        }
        self.is_ours_to_write()?;
        let mut edits = Vec::new();
        for (path, text) in files {
            let before = write::read(&path)?;
            let after = Some(format!("# written by `bluegreen setup`; changes here are lost\n{text}"));
            if before != after {
                edits.push(Edit { path, before, after, foreign: false });
            }
        }
        Ok(edits)
    }

    /// The name of an app is nobody's property: what leads to another user's route is that user's set-up.
    fn is_ours_to_write(&self) -> Result<(), SetupError> {
        let Some(route) = self.route_read()? else { return Ok(()) };
        let owner = match fs::symlink_metadata(&route) {
            Ok(meta) => meta.uid(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(SetupError::Io { action: "read", path: route, source }),
        };
        if route == self.route.path() || owner == self.owner().uid {
            return Ok(());
        }
        Err(SetupError::OfAnother { app: self.app.clone(), route, user: users::name(owner) })
    }

    /// The route directory in our file for the server block. One that makes no sense leads nowhere.
    fn route_read(&self) -> Result<Option<PathBuf>, SetupError> {
        let text = write::read(&self.server_file())?.unwrap_or_default();
        let read = |d: &Directive| d.args.last()?.strip_suffix("/live/second)").map(PathBuf::from);
        Ok(config::parse(&text).map_or(None, |all| all.iter().filter(|d| d.name == "if").find_map(read)))
    }

    /// Whether a server block of ours has an `open_file_cache` from somebody else: nginx takes only one.
    fn has_file_cache(&self, tree: &Tree, passes: &[Pass<'_>]) -> Result<bool, SetupError> {
        let mut has = false;
        for server in self.servers(tree, passes) {
            for directive in server.directive.inner() {
                let ours = directive.name == "include" && tree.absolute(directive.arg()) == self.server_file();
                let alone = std::slice::from_ref(directive);
                has |= !ours && tree.settings(alone).contains(&("open_file_cache".to_owned(), None));
                if directive.name == "open_file_cache" && directive.arg() != "off" {
                    let reason = "this server block has open_file_cache on, which would show nginx an old route: write \
                                  `open_file_cache off;`";
                    return Err(at(tree, server.file, directive, reason.to_owned()));
                }
            }
        }
        Ok(has)
    }

    /// The server blocks that are ours, or become ours by these passes.
    fn servers<'a>(&self, tree: &'a Tree, passes: &[Pass<'_>]) -> Vec<Server<'a>> {
        let ours = |s: &Server<'_>| tree.include_of(s.directive.inner(), &self.server_file()).is_some();
        let becomes = |s: &Server<'_>| passes.iter().any(|p| p.file == s.file && p.blocks[0] == s.directive);
        tree.servers().into_iter().filter(|s| ours(s) || becomes(s)).collect()
    }

    /// What changes in the owner's files.
    pub(super) fn changes(&self, tree: &Tree, passes: &[Pass<'_>]) -> Result<Vec<Change>, SetupError> {
        let include = |path: &Path| format!("include {};", path.display());
        let mut changes = Vec::new();
        let http = tree.http().ok_or_else(|| self.no_location(tree))?;
        let reads_ours = |d: &Directive| d.name == "include" && matches(&tree.absolute(d.arg()), &self.http_file());
        if !http.inner().iter().any(reads_ours) {
            changes.push(Change::first_line(tree, 0, http, &include(&self.http_file())));
        }
        for server in self.servers(tree, passes) {
            if tree.include_of(server.directive.inner(), &self.server_file()).is_none() {
                changes.push(Change::first_line(tree, server.file, server.directive, &include(&self.server_file())));
            }
        }
        for pass in passes {
            let lines = match self.location_lines(tree, http, pass)? {
                None => vec![include(&self.location_file())],
                Some(lines) => lines,
            };
            changes.push(Change::lines(tree, pass.file, pass.directive, &lines));
        }
        Ok(changes)
    }
}

fn unseen(source: io::Error) -> SetupError {
    SetupError::Io { action: "read", path: "/proc/net/tcp".into(), source }
}

fn runs(port: u16) -> Result<bool, SetupError> {
    is_answered((Ipv4Addr::LOCALHOST, port).into()).map_err(unseen)
}

/// Whether somebody may be served from this port: nginx may dial it at another address of this machine.
fn serves(port: u16) -> Result<bool, SetupError> {
    Ok(!listening(port).map_err(unseen)?.is_empty() || runs(port)?)
}

/// The files that hold only the variable of these passes.
fn unused(tree: &Tree, passes: &[Pass<'_>]) -> Vec<PathBuf> {
    let mut variables: Vec<&str> =
        passes.iter().map(|p| p.directive.arg()).filter(|arg| arg.starts_with('$')).collect();
    variables.sort_unstable();
    variables.chunk_by(|a, b| a == b).flat_map(|same| tree.only_for(same[0], same.len())).collect()
}

pub(super) fn at(tree: &Tree, file: usize, directive: &Directive, reason: String) -> SetupError {
    let Place { path, line } = place(tree, file, directive);
    SetupError::Location { path, line, reason }
}

/// Where a directive stands.
pub(crate) fn place(tree: &Tree, file: usize, directive: &Directive) -> Place {
    let file = &tree.files[file];
    Place { path: file.path.clone(), line: line_of(&file.text, directive.span.start) }
}
