//! An app on the machine: its configuration, nginx in front of it, and its releases.

use std::{
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use toml::{Table, Value};

use super::place::{Ended, Place, Who};

pub(super) const STATE: &str = "/var/lib/bluegreen/shop";
pub(super) const INCLUDE: &str = "/etc/nginx/service-url.inc";
pub(super) const SITE: &str = "/etc/nginx/conf.d/shop.conf";
pub(super) const CONFIG: &str = "/etc/bluegreen/shop.toml";
/// Of `real1` and `real2`.
pub(super) const PORTS: [u16; 2] = [8081, 8082];

const APP: [&str; 2] = ["/usr/local/bin/bluegreen", "__app"];

const TEXT: &str = r#"
app = "shop"
user = "deploy"
profiles = { real1 = 8081, real2 = 8082 }
[start]
command = ["/usr/local/bin/bluegreen", "__app", "--port", "{port}", "--profile", "{profile}", "--artifact", "{artifact}"]
[stop]
grace = "5s"
[health]
url = "http://127.0.0.1:{port}/profile"
body = "{profile}"
deadline = "15s"
[proxy.nginx]
url = "http://127.0.0.1/profile"
[after_switch]
bake = "300ms"
settle = "200ms"
drain = "1s"
"#;

const NGINX: &str = "user www-data;\nworker_processes 2;\npid /run/nginx.pid;\nerror_log /var/log/nginx/error.log;\n\
events { worker_connections 256; }\nhttp {\n  access_log off;\n  default_type text/plain;\n  \
include /etc/nginx/conf.d/*.conf;\n}\n";

/// The app.
#[derive(Debug)]
pub(super) struct Shop<'a> {
    pub(super) at: &'a Place,
    config: Table,
}

impl<'a> Shop<'a> {
    /// Users and a configuration of root's, and nothing else.
    pub(super) fn bare(at: &'a Place) -> Self {
        at.users();
        let shop = Self { at, config: TEXT.parse().unwrap() };
        at.must(
            Who::Root,
            "rm -rf /etc/nginx/conf.d /etc/nginx/sites-enabled; mkdir -p /var/log/nginx /etc/nginx/conf.d",
        );
        at.write(Who::Root, 0o644, "/etc/nginx/nginx.conf", NGINX);
        shop.serves("proxy_pass http://127.0.0.1:8081;");
        shop.save();
        shop
    }

    /// nginx runs and follows the route, nothing is deployed.
    pub(super) fn marker(at: &'a Place) -> Self {
        let shop = Self::bare(at);
        at.must(Who::Root, "nginx");
        at.must(Who::Root, "bluegreen --app shop --yes setup --apply");
        shop
    }

    /// The article's include file, which belongs to the deploy user; sudo is not needed to reload, as root's rights of it
    /// are not what is tried here.
    pub(super) fn reload(at: &'a Place) -> Self {
        let mut shop = Self::bare(at);
        at.write(Who::Deploy, 0o644, INCLUDE, "set $service_url http://127.0.0.1:8082;\n");
        shop.serves(&format!("include {INCLUDE}; proxy_pass $service_url;"));
        shop.reloads();
        at.must(Who::Root, "chown deploy /etc/nginx && nginx");
        shop.set("proxy.nginx.mode", "reload");
        shop.set("proxy.nginx.service_url_file", INCLUDE);
        at.must(Who::Root, "bluegreen --app shop setup --apply");
        shop
    }

    /// What stands for `sudo -n nginx`: a small server of root's, as the machine has no sudo.
    fn reloads(&mut self) {
        let script = "mkfifo -m 666 /run/asks /run/says; while read -r words < /run/asks; do \
                      nginx $words > /dev/null 2>&1; echo $? > /run/says; done";
        drop(self.at.leave(Who::Root, script));
        self.at.wait("the one who reloads", || std::path::Path::new("/run/says").exists());
        for (key, words) in [("test", "-t"), ("reload", "-s reload")] {
            let script = format!("echo {words} > /run/asks; read -r code < /run/says; exit $code");
            let value = ["sh", "-c", &script].map(Value::from).to_vec();
            self.set(&format!("proxy.nginx.{key}"), value);
        }
    }

    /// nginx takes what is on the disk, and those who had read what was before are gone.
    pub(super) fn take(&self) {
        let workers = || self.at.run(Who::Root, "pgrep -P $(cat /run/nginx.pid)").out;
        let before = workers();
        self.at.must(Who::Root, "nginx -t && nginx -s reload");
        let gone = |now: &str| now.lines().count() >= 2 && now.lines().all(|pid| !before.lines().any(|old| old == pid));
        self.at.wait("new workers", || gone(&workers()));
    }

    /// nginx's server block, with this in its only location.
    pub(super) fn serves(&self, location: &str) {
        self.serves_with("", location);
    }

    /// The same, and lines for the http level.
    pub(super) fn serves_with(&self, http: &str, location: &str) {
        let text = format!("{http}\nserver {{\n  listen 80;\n  location / {{\n    {location}\n  }}\n}}\n");
        self.at.write(Who::Root, 0o644, SITE, &text);
    }

    /// Sets the value of a dotted key.
    pub(super) fn set(&mut self, key: &str, value: impl Into<Value>) {
        let mut words: Vec<&str> = key.split('.').collect();
        let leaf = words.pop().unwrap();
        let mut table = &mut self.config;
        for word in words {
            table = table.entry(word).or_insert_with(|| Table::new().into()).as_table_mut().unwrap();
        }
        table.insert(leaf.to_owned(), value.into());
        self.save();
    }

    /// The same, a list of words.
    pub(super) fn set_words<'w>(&mut self, key: &str, words: impl IntoIterator<Item = &'w str>) {
        self.set(key, words.into_iter().map(Value::from).collect::<Vec<_>>());
    }

    /// The tiny app, which listens after so many milliseconds.
    pub(super) fn boots_in(&mut self, ms: &str) {
        let words =
            [APP, ["--port", "{port}"], ["--profile", "{profile}"], ["--artifact", "{artifact}"], ["--boot-ms", ms]];
        self.set_words("start.command", words.concat());
    }

    pub(super) fn unset(&mut self, key: &str) {
        self.config.remove(key);
        self.save();
    }

    fn save(&self) {
        self.at.write(Who::Root, 0o644, CONFIG, &self.config.to_string());
    }

    /// Its text, for a file elsewhere.
    pub(super) fn text(&self) -> String {
        self.config.to_string()
    }

    /// `bluegreen`, as the one who deploys.
    pub(super) fn bg(&self, words: &str) -> Ended {
        self.at.run(Who::Deploy, &format!("bluegreen --app shop {words}"))
    }

    /// The same, as root.
    pub(super) fn root(&self, words: &str) -> Ended {
        self.at.run(Who::Root, &format!("bluegreen --app shop {words}"))
    }

    /// An artifact of the tiny app: its version and, after a blank, its fault.
    pub(super) fn artifact(&self, text: &str) -> String {
        let path = format!("/home/deploy/app-{}", text.replace(' ', "-"));
        self.at.write(Who::Deploy, 0o644, &path, text);
        path
    }

    /// Deploys it.
    pub(super) fn deploy(&self, text: &str) -> Ended {
        let path = self.artifact(text);
        let version = text.replace(' ', "-");
        self.bg(&format!("deploy {path} --version {version}"))
    }

    /// Deploys these, one after the other, which must work.
    #[track_caller]
    pub(super) fn deployed(&self, versions: &[&str]) {
        for text in versions {
            let ended = self.deploy(text);
            assert_eq!(ended.code, 0, "deploy {text}: {}", ended.text);
        }
    }

    /// The profile whose release users get, 0 or 1.
    pub(super) fn active(&self) -> usize {
        let front = self.front();
        let named = ["real1", "real2"].iter().position(|name| front.ends_with(name));
        named.unwrap_or_else(|| panic!("users get {front:?}"))
    }

    /// The port of the profile that has no traffic.
    pub(super) fn idle_port(&self) -> u16 {
        PORTS[1 - self.active()]
    }

    /// The pid of what listens on the port of a profile, 0 or 1.
    pub(super) fn pid(&self, profile: usize) -> Option<u32> {
        let found = self.at.run(Who::Root, &format!("ss -Hltnp 'sport = :{}'", PORTS[profile]));
        let (_, rest) = found.out.split_once("pid=")?;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    }

    /// SIGKILL to what listens on the port of a profile.
    pub(super) fn kill(&self, profile: usize) {
        let pid = self.pid(profile).expect("something runs there");
        self.at.must(Who::Root, &format!("kill -9 {pid}"));
        self.at.wait("its end", || self.pid(profile) != Some(pid));
    }

    /// The first line that users get, or the status.
    #[expect(clippy::unused_self, reason = "it is this shop's, on this machine")]
    pub(super) fn front(&self) -> String {
        bluegreen_rig::get(([127, 0, 0, 1], 80).into())
    }

    /// A machine that was switched off and on again: nothing of the app runs, and the kernel has another boot id.
    pub(super) fn reboot(&self) {
        for profile in [0, 1] {
            if self.pid(profile).is_some() {
                self.kill(profile);
            }
        }
        self.at.must(
            Who::Root,
            "cat /proc/sys/kernel/random/uuid > /run/boot && mount --bind /run/boot /proc/sys/kernel/random/boot_id",
        );
    }

    /// Somebody who answers everything with `text` at `address`.
    pub(super) fn squats(&self, who: Who, address: &str, text: &str) {
        drop(self.at.leave(who, &format!("exec trials adversary --act listen {address} {text}")));
        let address: SocketAddr = address.parse().unwrap();
        // who listens everywhere is asked here
        let asked = if address.ip().is_unspecified() { ([127, 0, 0, 1], address.port()).into() } else { address };
        self.at.wait("a squatter", || TcpStream::connect_timeout(&asked, Duration::from_secs(1)).is_ok());
    }
}
