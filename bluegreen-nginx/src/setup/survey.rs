//! What a configuration of nginx says that matters to an app.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::{
    SetupError,
    config::Directive,
    plan::place,
    tree::{Pass, Tree, loopback_port},
    walk,
};
use crate::Commands;

/// A configuration that was read, to be asked.
#[derive(Debug)]
pub struct Survey {
    tree: Tree,
}

/// A place in a file of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as nginx names it.
    pub path: PathBuf,
    /// From 1.
    pub line: usize,
}

/// A `proxy_pass`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Passing {
    /// Where it stands.
    pub at: Place,
    /// What stands behind it.
    pub argument: String,
    /// The port of this machine that it leads to, where that can be told.
    pub port: Option<u16>,
    /// Its location, as `location /api`.
    pub location: String,
    /// Whether the location lets in only some: by `internal`, `deny`, `auth_basic` or `auth_request`.
    pub guarded: bool,
    /// The address of its location, as users reach it.
    pub door: Option<Door>,
    /// What limits the requests to it.
    pub limits: Vec<Limit>,
}

/// A directive that delays or refuses requests beyond a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limit {
    /// As it is written.
    pub directive: String,
    /// Where.
    pub at: Place,
    /// What nginx answers to what it refuses; 444 closes the connection.
    pub status: u16,
}

/// A server block, as users reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// Where the server block begins.
    pub at: Place,
    /// The address and port of its first `listen`.
    pub listen: String,
    /// The port.
    pub port: u16,
    /// Whether it speaks TLS there.
    pub tls: bool,
    /// Its first name that is one: no pattern, no `_`.
    pub name: Option<String>,
    /// Whether it answers for names that no server block has.
    pub is_default: bool,
    /// The apps that it serves by bluegreen.
    pub apps: Vec<String>,
}

/// What keeps users out of a location.
const GUARDS: [&str; 4] = ["internal", "deny", "auth_basic", "auth_request"];
/// What refuses requests of users beyond a limit, and what says with which status.
const LIMITS: [(&str, &str); 2] = [("limit_req", "limit_req_status"), ("limit_conn", "limit_conn_status")];
/// What nginx answers where nobody says so.
const REFUSED: u16 = 503;

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.line)
    }
}

impl Survey {
    /// The configuration that begins with the file `main`, without asking nginx.
    ///
    /// # Errors
    /// A file cannot be read, or is no configuration of nginx.
    pub fn walk(main: &Path) -> Result<Self, SetupError> {
        Tree::read(walk::files(main), None).map(|tree| Self { tree })
    }

    /// What nginx itself reads; `main` is where to begin when this user may not ask it.
    ///
    /// # Errors
    /// A file cannot be read, or is no configuration of nginx.
    pub async fn of(commands: &Commands, main: &Path) -> Result<Self, SetupError> {
        match commands.files().await {
            Ok(files) if !files.is_empty() => Tree::read(files, None).map(|tree| Self { tree }),
            _ => Self::walk(main),
        }
    }

    /// Every `proxy_pass` of every server block, also of those files that it includes.
    pub fn passes(&self) -> Vec<Passing> {
        let doors = self.doors_by_block();
        let passing = |pass: Pass<'_>| {
            let server = self.tree.servers().into_iter().find(|server| std::ptr::eq(server.directive, pass.blocks[0]));
            let block = server.map(|server| (server.file, server.directive.span.start));
            let locations = || pass.blocks[1..].iter().filter(|block| block.name == "location");
            let mut inner = locations().flat_map(|location| location.inner());
            let words = |block: &&Directive| format!("{} {}", block.name, block.args.join(" "));
            Passing {
                location: locations().next_back().map(words).unwrap_or_default(),
                guarded: inner.any(|d| GUARDS.contains(&d.name.as_str()) && d.arg() != "off"),
                at: self.place(pass.file, pass.directive),
                argument: pass.directive.arg().to_owned(),
                port: self.tree.target(pass.directive.arg()).map(|(port, _)| port),
                door: doors.iter().find(|(at, _)| Some(*at) == block).map(|(_, door)| door.clone()),
                limits: self.limits(&pass.blocks),
            }
        };
        self.tree.passes_in_effect().into_iter().map(passing).collect()
    }

    /// What limits requests in the innermost of `blocks`: nginx takes each kind from the nearest block that has it.
    fn limits(&self, blocks: &[&Directive]) -> Vec<Limit> {
        let limits = |(name, status): &(&str, &str)| -> Vec<Limit> {
            let status =
                self.nearest(blocks, status).first().and_then(|(_, d)| d.arg().parse().ok()).unwrap_or(REFUSED);
            let written = |d: &Directive| format!("{} {}", d.name, d.args.join(" "));
            let limit = |(file, d)| Limit { directive: written(d), at: self.place(file, d), status };
            self.nearest(blocks, name).into_iter().map(limit).collect()
        };
        LIMITS.iter().flat_map(limits).collect()
    }

    /// The directives of this name in the nearest of `blocks` that has one, or at the http level.
    fn nearest<'a>(&'a self, blocks: &[&'a Directive], name: &str) -> Vec<(usize, &'a Directive)> {
        let innermost = blocks.iter().rev().map(|block| self.tree.inside(block)).chain([self.tree.at_http()]);
        let named = |mut level: Vec<(usize, &'a Directive)>| {
            level.retain(|(_, d)| d.name == name);
            level
        };
        innermost.map(named).find(|found| !found.is_empty()).unwrap_or_default()
    }

    /// Every server block that listens on a port.
    pub fn doors(&self) -> Vec<Door> {
        self.doors_by_block().into_iter().map(|(_, door)| door).collect()
    }

    /// The same, each with its file and its first byte there.
    fn doors_by_block(&self) -> Vec<((usize, usize), Door)> {
        let mut doors: Vec<((usize, usize), Door)> = Vec::new();
        for server in self.tree.servers() {
            let inner = server.directive.inner();
            let listens: Vec<&Directive> = inner.iter().filter(|d| d.name == "listen").collect();
            // what nginx takes when there is no `listen`
            let (listen, more) = listens.first().map_or(("80", &[][..]), |d| (d.arg(), &d.args[1..]));
            let Some(port) = port(listen) else { continue };
            let names = inner.iter().filter(|d| d.name == "server_name").flat_map(|d| &d.args);
            let name = names.into_iter().find(|name| is_name(name)).cloned();
            let marked = more.iter().any(|word| word == "default_server" || word == "default");
            let first = !doors.iter().any(|(_, door)| door.port == port);
            if marked {
                doors.iter_mut().filter(|(_, door)| door.port == port).for_each(|(_, door)| door.is_default = false);
            }
            let (listen, tls) = (listen.to_owned(), more.iter().any(|word| word == "ssl"));
            let at = self.place(server.file, server.directive);
            let apps = apps(server.directive);
            let door = Door { at, listen, port, tls, name, is_default: marked || first, apps };
            doors.push(((server.file, server.directive.span.start), door));
        }
        doors
    }

    /// Every `set` of this variable: where, and what it becomes.
    pub fn sets(&self, variable: &str) -> Vec<(Place, String)> {
        let value = |(file, d): (usize, &Directive)| match (d.name.as_str(), &d.args[..]) {
            ("set", [name, value]) if name == variable => Some((self.place(file, d), value.clone())),
            _ => None,
        };
        self.all().filter_map(value).collect()
    }

    /// Every port of this machine that it names, with the first place of each: nginx's own, in `listen`, and where it sends
    /// requests to, in `proxy_pass` and its like, in the groups of `upstream` and in what is `set`.
    pub fn ports(&self) -> Vec<(u16, Place)> {
        let mut found: Vec<(u16, Place)> = Vec::new();
        for (file, directive) in self.all() {
            let port = match directive.name.as_str() {
                "listen" => port(directive.arg()),
                "server" if directive.block.is_none() => loopback_port(directive.arg()),
                "set" => directive.args.get(1).and_then(|value| port_of(value)),
                name if name.ends_with("_pass") => port_of(directive.arg()),
                _ => None,
            };
            if let Some(port) = port.filter(|port| !found.iter().any(|(known, _)| known == port)) {
                found.push((port, self.place(file, directive)));
            }
        }
        found
    }

    /// Where the first directive of this name stands, at any level, whose first argument is not `off` or `0`.
    pub fn turns_on(&self, name: &str) -> Option<Place> {
        let on = |d: &Directive| d.name == name && !matches!(d.arg(), "off" | "0");
        self.all().find(|(_, d)| on(d)).map(|(file, d)| self.place(file, d))
    }

    fn all(&self) -> impl Iterator<Item = (usize, &Directive)> {
        let files = self.tree.files.iter().enumerate();
        let mut waiting: Vec<(usize, &Directive)> =
            files.flat_map(|(n, file)| file.directives.iter().map(move |d| (n, d))).collect();
        waiting.reverse();
        std::iter::from_fn(move || {
            let (file, next) = waiting.pop()?;
            waiting.extend(next.inner().iter().rev().map(|d| (file, d)));
            Some((file, next))
        })
    }

    fn place(&self, file: usize, directive: &Directive) -> Place {
        place(&self.tree, file, directive)
    }
}

/// The apps in whose set-up this server block is: by what it includes, or by a pass of a snippet that was put in by hand.
fn apps(server: &Directive) -> Vec<String> {
    let mut apps = Vec::new();
    let mut waiting = vec![server];
    while let Some(directive) = waiting.pop() {
        waiting.extend(directive.inner());
        let app = match directive.name.as_str() {
            "include" => directive.arg().strip_suffix(".server.inc").and_then(|path| path.rsplit_once("bluegreen/")),
            "proxy_pass" => directive.arg().strip_suffix("_upstream").and_then(|word| word.rsplit_once("http://$")),
            _ => None,
        };
        apps.extend(app.map(|(_, name)| name.replace('_', "-")));
    }
    apps.sort_unstable();
    apps.dedup();
    apps
}

/// The port of a `listen`; none of a socket in the file system.
fn port(listen: &str) -> Option<u16> {
    match listen.rsplit_once(':') {
        Some((_, port)) if !port.ends_with(']') => port.parse().ok(),
        _ if listen.starts_with("unix:") => None,
        _ => Some(listen.parse().unwrap_or(80)),
    }
}

/// The port on loopback of `http://127.0.0.1:8081/x`, or of the same without a scheme.
fn port_of(address: &str) -> Option<u16> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    loopback_port(rest.split('/').next().unwrap_or(rest))
}

fn is_name(name: &str) -> bool {
    name.contains(|c: char| c.is_ascii_alphabetic()) && !name.contains(['*', '~', '_', '$']) && name != "localhost"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(text: &str) -> Survey {
        let home = tempfile::tempdir().unwrap();
        let main = home.path().join("nginx.conf");
        std::fs::write(&main, text).unwrap();
        Survey::walk(&main).unwrap()
    }

    #[test]
    fn a_limit_is_taken_from_the_nearest_block() {
        let survey = survey(
            "http {
             limit_conn all 9;
             server { listen 80; limit_req zone=one burst=5;
             location / { proxy_pass http://127.0.0.1:1; }
             location /own { limit_req zone=two; proxy_pass http://127.0.0.1:2; } }
             server { listen 81; location / { proxy_pass http://127.0.0.1:3; } } }",
        );
        let limits = |pass: Passing| -> Vec<(String, usize)> {
            pass.limits.into_iter().map(|limit| (limit.directive, limit.at.line)).collect()
        };
        let found: Vec<_> = survey.passes().into_iter().map(limits).collect();
        let all = ("limit_conn all 9".to_owned(), 2);
        assert_eq!(found[0], [("limit_req zone=one burst=5".to_owned(), 3), all.clone()]);
        assert_eq!(found[1], [("limit_req zone=two".to_owned(), 5), all.clone()]);
        assert_eq!(found[2], [all]);
    }

    #[test]
    fn what_a_limit_answers_is_taken_from_the_nearest_block_too() {
        let survey = survey(
            "http { limit_req_status 429; limit_conn all 9;
             server { listen 80; limit_req zone=one; location / { proxy_pass http://127.0.0.1:1; }
             location /own { limit_req_status 444; limit_conn_status 418; proxy_pass http://127.0.0.1:2; } } }",
        );
        let statuses = |pass: Passing| pass.limits.iter().map(|limit| limit.status).collect::<Vec<_>>();
        assert_eq!(survey.passes().into_iter().map(statuses).collect::<Vec<_>>(), [[429, 503], [444, 418]]);
    }

    #[test]
    fn a_door_is_where_users_come_in() {
        let survey = survey(
            "http {
             server { listen 80; server_name _; return 301 https://x; }
             server { listen 80; server_name *.a.example a.example; location / { proxy_pass http://localhost:8080; } }
             server { listen 127.0.0.1:443 ssl default_server; server_name b.example; }
             server { listen unix:/x.sock; }
             server { listen [::1]:8443 ssl; listen 1; }
             server { server_name ~^c; } }",
        );
        let doors: Vec<_> =
            survey.doors().into_iter().map(|d| (d.at.line, d.port, d.tls, d.name, d.is_default)).collect();
        assert_eq!(
            doors,
            [
                (2, 80, false, None, true),
                (3, 80, false, Some("a.example".into()), false),
                (4, 443, true, Some("b.example".into()), true),
                (6, 8443, true, None, true),
                (7, 80, false, None, false),
            ]
        );
        let [pass] = &survey.passes()[..] else { panic!() };
        assert_eq!((pass.port, pass.at.line), (Some(8080), 3));
        assert_eq!(pass.door.as_ref().and_then(|door| door.name.as_deref()), Some("a.example"));
    }

    #[test]
    fn the_apps_of_a_door_are_those_that_bluegreen_serves_there() {
        let survey = survey(
            "http { server { include /etc/nginx/bluegreen/my-shop.server.inc; location / { include \
             /etc/nginx/bluegreen/my-shop.location.inc; } location /web/ { proxy_pass http://$my_web_upstream; } }
             server { include my.server.inc; location / { proxy_pass http://$other; } } }",
        );
        let apps: Vec<_> = survey.doors().into_iter().map(|door| door.apps).collect();
        assert_eq!(apps, [vec!["my-shop", "my-web"], vec![]]);
    }

    #[test]
    fn what_is_included_counts_where_it_is_included() {
        let home = tempfile::tempdir().unwrap();
        let main = home.path().join("nginx.conf");
        std::fs::write(home.path().join("shop.inc"), "proxy_pass http://$shop;\n").unwrap();
        std::fs::write(
            &main,
            "http { server { listen 81; location / { include shop.inc; } } server { listen 82; include shop.inc; } }",
        )
        .unwrap();
        let passes = Survey::walk(&main).unwrap().passes();
        let seen: Vec<_> =
            passes.iter().map(|pass| (pass.door.as_ref().unwrap().port, pass.location.as_str())).collect();
        assert_eq!(seen, [(81, "location /"), (82, "")]);
        assert!(passes[0].at.path.ends_with("shop.inc") && passes[0].argument == "http://$shop");
    }

    #[test]
    fn a_location_for_some_only_is_known() {
        let pass = "proxy_pass http://127.0.0.1:8081;";
        let survey = survey(&format!(
            "http {{ server {{ deny all; location / {{ auth_basic off; {pass} }} location ~ ^/a {{ allow 127.0.0.1; deny all; \
             if ($x) {{ {pass} }} }} }} }}"
        ));
        let passes: Vec<_> = survey.passes().into_iter().map(|pass| (pass.location, pass.guarded)).collect();
        assert_eq!(passes, [("location /".to_owned(), false), ("location ~ ^/a".to_owned(), true)]);
    }

    #[test]
    fn ports_are_known_wherever_they_are_named() {
        let survey = survey(
            "http { upstream a { server 127.0.0.1:8081; server localhost:8082 backup; server 10.0.0.1:9000; }
             server { listen 127.0.0.1:80; listen [::]:80; listen unix:/x; set $url http://127.0.0.1:8083;
             location / { proxy_pass http://127.0.0.1:8084/x; } location /p { fastcgi_pass 127.0.0.1:8085; }
             location /q { proxy_pass http://a; } location /r { grpc_pass grpc://localhost:8081; } } }",
        );
        let ports: Vec<_> = survey.ports().into_iter().map(|(port, at)| (port, at.line)).collect();
        assert_eq!(ports, [(8081, 1), (8082, 1), (80, 2), (8083, 2), (8084, 3), (8085, 3)]);
    }

    #[test]
    fn says_where_something_is_set() {
        let survey = survey(
            "http { open_file_cache off; server {\nset $url a;\nlocation / { set $url b; keepalive_min_timeout 0; open_file_cache max=9; } } }",
        );
        let sets: Vec<_> = survey.sets("$url").into_iter().map(|(at, value)| (at.line, value)).collect();
        assert_eq!(sets, [(2, "a".to_owned()), (3, "b".to_owned())]);
        assert_eq!(survey.turns_on("open_file_cache").map(|at| at.line), Some(3));
        assert_eq!(survey.turns_on("keepalive_min_timeout"), None);
    }
}
