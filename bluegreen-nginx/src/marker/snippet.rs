//! The text that nginx needs.

use bluegreen_core::{Name, Profile};

use super::RouteDir;

/// The configuration of one app for nginx, as three texts for three levels. Several apps live on one nginx, even in one
/// server block: every variable and group carries the app's name.
///
/// Written once, at set-up; no deploy changes it.
#[derive(Debug, Clone)]
pub struct Snippet {
    app: Name,
    /// The app's name in variables, where nginx takes no `-`. No two apps share it: a name has no `_`.
    var: String,
    route: RouteDir,
}

impl Snippet {
    /// The snippet of `app` with the route in `route`.
    pub fn new(app: Name, route: RouteDir) -> Self {
        let var = app.as_str().replace('-', "_");
        Self { app, var, route }
    }

    /// For the http level: the four groups, and what tells a WebSocket and a local client.
    pub fn http(&self) -> String {
        let var = &self.var;
        let profiles = self.route.profiles();
        // max_fails=0: one failure would ban the profile for 10 s. keepalive_timeout: shorter than any app's own
        let [first, second] = profiles.both();
        let with_standby = [(first, second), (second, first)].map(|(active, other)| {
            let (name, port, other) = (self.group(active), active.port(), other.port());
            format!(
                "upstream {name} {{ server 127.0.0.1:{port} max_fails=0; server 127.0.0.1:{other} max_fails=0 backup; \
                 keepalive 32; keepalive_timeout 1s; }}\n"
            )
        });
        let solo = profiles.both().map(|active| {
            let (name, port) = (self.group(active), active.port());
            format!("upstream {name}.solo {{ server 127.0.0.1:{port}; keepalive 32; keepalive_timeout 1s; }}\n")
        });
        format!(
            "geo $realip_remote_addr ${var}_local {{ default 0; 127.0.0.0/8 1; ::1 1; }}\n\
             map $http_upgrade ${var}_connection {{ default upgrade; \"\" \"\"; }}\n{}{}",
            with_standby.concat(),
            solo.concat()
        )
    }

    /// For the server block, before anything else in it. `open_file_cache`: whether to begin with `open_file_cache off;`,
    /// which nginx takes only once in a server block.
    pub fn server(&self, open_file_cache: bool) -> String {
        let Self { app, var, route } = self;
        let (first, second) = (route.profiles().first(), route.profiles().second());
        let live = format!("{}/live", route.path().display());
        format!(
            "{cache}set ${var}_upstream {first_group};\n\
             if (-f {live}/second) {{ set ${var}_upstream {second_group}; }}\n\
             if (-f {live}/solo) {{ set ${var}_upstream ${var}_upstream.solo; }}\n\
             location = {path} {{\n  \
               if (${var}_local = 0) {{ return 404; }}\n  \
               default_type text/plain; add_header Cache-Control no-store;\n  \
               return 200 \"bluegreen 1 {app} {first}={first_port} {second}={second_port} ${var}_upstream\\n\";\n\
             }}\n",
            cache = if open_file_cache { "open_file_cache off;\n" } else { "" },
            first_group = self.group(first),
            second_group = self.group(second),
            path = super::proof_location::path(app),
            first_port = first.port(),
            second_port = second.port(),
        )
    }

    /// For the location of the app.
    pub fn location(&self) -> String {
        let lines = self.location_lines().into_iter().map(|(_, line)| line);
        lines.chain([format!("proxy_pass {};", self.pass())]).map(|line| line + "\n").collect()
    }

    /// The lines of the location before `proxy_pass`, each with the name of the setting and of its header.
    pub(crate) fn location_lines(&self) -> Vec<((&'static str, Option<&'static str>), String)> {
        let connection = self.connection_variable();
        let headers = [
            ("Upgrade", "$http_upgrade"),
            ("Connection", connection.as_str()),
            ("Host", "$http_host"),
            ("X-Real-IP", "$remote_addr"),
            ("X-Forwarded-For", "$proxy_add_x_forwarded_for"),
        ];
        let version = (("proxy_http_version", None), "proxy_http_version 1.1;".to_owned());
        let header = |(name, value)| (("proxy_set_header", Some(name)), format!("proxy_set_header {name} {value};"));
        std::iter::once(version).chain(headers.map(header)).collect()
    }

    /// What the app's `proxy_pass` names.
    pub(crate) fn pass(&self) -> String {
        format!("http://${}_upstream", self.var)
    }

    /// The variable that only a snippet of this app defines for the `Connection` header.
    pub(crate) fn connection_variable(&self) -> String {
        format!("${}_connection", self.var)
    }

    /// The group of `active` with a failover; without one it has `.solo` behind it.
    pub(crate) fn group(&self, active: &Profile) -> String {
        format!("{}.{}", self.app, active.name())
    }
}

#[cfg(test)]
mod tests {
    use bluegreen_core::Profiles;

    use super::*;

    fn snippet() -> Snippet {
        let profile = |name: &str, port| Profile::new(name.parse().unwrap(), port).unwrap();
        let profiles = Profiles::new(profile("real1", 8081), profile("real2", 8082)).unwrap();
        let route = RouteDir::new("/var/lib/bluegreen/my-shop/route", profiles).unwrap();
        Snippet::new("my-shop".parse().unwrap(), route)
    }

    #[test]
    fn http_level() {
        assert_eq!(
            snippet().http(),
            r#"geo $realip_remote_addr $my_shop_local { default 0; 127.0.0.0/8 1; ::1 1; }
map $http_upgrade $my_shop_connection { default upgrade; "" ""; }
upstream my-shop.real1 { server 127.0.0.1:8081 max_fails=0; server 127.0.0.1:8082 max_fails=0 backup; keepalive 32; keepalive_timeout 1s; }
upstream my-shop.real2 { server 127.0.0.1:8082 max_fails=0; server 127.0.0.1:8081 max_fails=0 backup; keepalive 32; keepalive_timeout 1s; }
upstream my-shop.real1.solo { server 127.0.0.1:8081; keepalive 32; keepalive_timeout 1s; }
upstream my-shop.real2.solo { server 127.0.0.1:8082; keepalive 32; keepalive_timeout 1s; }
"#
        );
    }

    #[test]
    fn server_level() {
        let text = r#"set $my_shop_upstream my-shop.real1;
if (-f /var/lib/bluegreen/my-shop/route/live/second) { set $my_shop_upstream my-shop.real2; }
if (-f /var/lib/bluegreen/my-shop/route/live/solo) { set $my_shop_upstream $my_shop_upstream.solo; }
location = /.well-known/bluegreen/my-shop {
  if ($my_shop_local = 0) { return 404; }
  default_type text/plain; add_header Cache-Control no-store;
  return 200 "bluegreen 1 my-shop real1=8081 real2=8082 $my_shop_upstream\n";
}
"#;
        assert_eq!(snippet().server(false), text);
        assert_eq!(snippet().server(true), format!("open_file_cache off;\n{text}"));
    }

    #[test]
    fn location_level() {
        assert_eq!(
            snippet().location(),
            "proxy_http_version 1.1;
proxy_set_header Upgrade $http_upgrade;
proxy_set_header Connection $my_shop_connection;
proxy_set_header Host $http_host;
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_pass http://$my_shop_upstream;
"
        );
    }
}
