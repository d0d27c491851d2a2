//! The rest of nginx's configuration: who uses our variable, and what a name in it means.

use std::path::{Path, PathBuf};

use bluegreen_core::{Profile, Profiles};

use super::{
    address::{Address, Says, Scheme, host_and_port, is_behind},
    leads::{Leads, is_loopback, of_all, of_host},
    scope::{Use, uses},
};
use crate::{
    Commands, Master,
    setup::{
        config::Directive,
        tree::{ConfigFile, Tree},
        walk::walk,
    },
    text::chain,
};

/// The configuration as far as this user may read it.
#[derive(Debug)]
pub(super) struct Site {
    tree: Tree,
    /// Why there may be more of it.
    unread: Option<String>,
}

/// What an address leads to, and the files that say so besides the include.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) leads: Leads,
    pub(super) files: Vec<PathBuf>,
}

impl Site {
    pub(super) async fn of(master: &Master) -> Self {
        match master.command() {
            Ok(command) => Self::read(&Commands::new(command).configuration().await),
            // one in a container has other files
            Err(error) => Self { tree: Tree { files: Vec::new() }, unread: Some(error.to_string()) },
        }
    }

    fn read(main: &Path) -> Self {
        let walked = walk(main);
        let closed = walked.closed.first().map(|path| format!("{} cannot be read", path.display()));
        match Tree::read(walked.files, None) {
            Ok(tree) => Self { tree, unread: closed },
            Err(error) => Self { tree: Tree { files: Vec::new() }, unread: Some(chain(&error)) },
        }
    }

    /// Where `address`, which stands in the file `include`, leads.
    pub(super) fn leads(&self, include: &Path, address: &Address, profiles: &Profiles) -> Found {
        if let Some(why) = uses(&self.tree, include).iter().find_map(|it| misfit(it, address)) {
            return Found { leads: Leads::Unclear(why), files: Vec::new() };
        }
        if let Some((file, group)) = self.group(address) {
            return self.of_group(file, group, profiles);
        }
        let port = address.scheme.unwrap_or(Scheme::Http).port();
        let leads = match (of_host(&address.authority, port, profiles), &self.unread) {
            (Leads::Unclear(why), Some(unread)) => Leads::Unclear(format!("{why}; {unread}")),
            (leads, _) => leads,
        };
        Found { leads, files: Vec::new() }
    }

    /// What is to stand behind `set` for `profile`, in the form of what stands there; the error is why that cannot be told.
    pub(super) fn value_for(
        &self,
        profile: &Profile,
        says: &Says,
        include: &Path,
        profiles: &Profiles,
    ) -> Result<String, String> {
        let port = profile.port();
        let plain = |scheme| Address { scheme, authority: format!("127.0.0.1:{port}"), rest: String::new() };
        let address = match says {
            Says::To(address) => address,
            Says::Unclear(why) => return Err(why.clone()),
            // half-written, by somebody who was killed
            Says::Nothing => {
                let has_scheme = |it: &Use| Scheme::split(&it.before).0.is_some();
                let bare = uses(&self.tree, include).iter().any(has_scheme);
                return Ok(plain((!bare).then_some(Scheme::Http)).to_string());
            }
        };
        let leads = self.leads(include, address, profiles).leads;
        let host = host_and_port(&address.authority).0;
        let authority = match (leads, self.group(address)) {
            (Leads::Unclear(why), _) => return Err(why),
            (leads, Some(_)) => match (&self.groups_of(profile, profiles)[..], leads) {
                ([only], _) => only.clone(),
                ([], Leads::Elsewhere(_)) => plain(None).authority,
                ([], _) => {
                    return Err(format!(
                        "no upstream group leads to {profile}: write `upstream {profile} {{ server 127.0.0.1:{port}; }}`"
                    ));
                }
                (several, _) => {
                    let names = several.join(" and ");
                    return Err(format!(
                        "the upstream groups {names} lead to {profile}: which one is meant, cannot be told"
                    ));
                }
            },
            (_, None) if is_loopback(host) => format!("{host}:{port}"),
            // another machine, and whatever it needs behind its name
            (_, None) => return Ok(plain(address.scheme.map(|_| Scheme::Http)).to_string()),
        };
        Ok(Address { authority, ..address.clone() }.to_string())
    }

    /// The group of this name; an address with a port is none, even with the name of one.
    fn group(&self, address: &Address) -> Option<(&ConfigFile, &Directive)> {
        let (host, port) = host_and_port(&address.authority);
        let named = |(_, group): &(&ConfigFile, &Directive)| group.arg().eq_ignore_ascii_case(host);
        self.tree.upstreams().find(named).filter(|_| port.is_none())
    }

    fn of_group(&self, file: &ConfigFile, group: &Directive, profiles: &Profiles) -> Found {
        let (mut lines, mut files) = (Vec::new(), vec![file.path.clone()]);
        self.lines(group.inner(), &mut lines, &mut files, 0);
        let name = group.arg();
        if let Some(other) = lines.iter().find(|line| line.name.starts_with("balancer_by")) {
            let why = format!("the upstream group {name} is balanced by `{}`", other.name);
            return Found { leads: Leads::Unclear(why), files };
        }
        if let Some(unread) = lines.iter().find(|line| line.name == "include") {
            let why = format!("the upstream group {name} includes {}, of which nothing can be read", unread.arg());
            return Found { leads: Leads::Unclear(why), files };
        }
        let up = lines.iter().filter(|line| line.name == "server" && !line.args.iter().any(|word| word == "down"));
        let servers = up.map(|line| match line.arg() {
            socket if socket.starts_with("unix:") => {
                Leads::Unclear(format!("`{socket}` is a socket in the file system, and whose it is cannot be told"))
            }
            bare if host_and_port(bare).1.is_none() => of_host(&format!("{bare}:80"), 80, profiles),
            authority => of_host(authority, 80, profiles),
        });
        Found { leads: of_all(name, servers.collect()), files }
    }

    /// The lines of a group, with those of the files that it includes; an `include` stays that names none.
    fn lines<'a>(
        &'a self,
        inner: &'a [Directive],
        lines: &mut Vec<&'a Directive>,
        files: &mut Vec<PathBuf>,
        depth: usize,
    ) {
        for line in inner {
            let included: Vec<&ConfigFile> = match line.name.as_str() {
                "include" if depth < 8 => self.tree.included(line.arg()).map(|(_, file)| file).collect(),
                _ => Vec::new(),
            };
            if included.is_empty() {
                lines.push(line);
            }
            for file in included {
                files.push(file.path.clone());
                self.lines(&file.directives, lines, files, depth + 1);
            }
        }
    }

    /// The names of the groups that lead to `profile` and nowhere else.
    fn groups_of(&self, profile: &Profile, profiles: &Profiles) -> Vec<String> {
        let to = Leads::To(profile.clone());
        let groups = self.tree.upstreams().filter(|(file, group)| self.of_group(file, group, profiles).leads == to);
        groups.map(|(_, group)| group.arg().to_owned()).collect()
    }
}

/// Why `address` cannot stand there.
fn misfit(it: &Use, address: &Address) -> Option<String> {
    let Use { at, argument, before, behind, overruled } = it;
    if let Some(other) = overruled {
        return Some(format!("{other} sets it anew, and `proxy_pass {argument}` at {at} follows that"));
    }
    let (scheme, more) = Scheme::split(before);
    if !more.is_empty() || !is_behind(behind) {
        return Some(format!("`proxy_pass {argument}` at {at} makes something else of it"));
    }
    match (scheme, address.scheme) {
        (Some(_), Some(twice)) => {
            Some(format!("`{address}` would have its `{twice}` twice in `proxy_pass {argument}` at {at}"))
        }
        (None, None) => Some(format!("`{address}` has no `http://`, and `proxy_pass {argument}` at {at} needs it")),
        _ => None,
    }
}
