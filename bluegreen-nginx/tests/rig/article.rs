//! Reload mode: nginx as the article sets it up, and two apps behind it.

use std::{
    fs,
    ops::{Deref, DerefMut},
    path::Path,
    time::Duration,
};

use bluegreen_core::{Profiles, Route};
use bluegreen_http::{Client, Options, ProfileEndpoint};
use bluegreen_nginx::reload::{IncludeFile, IncludeResolver, ReloadSwitcher};

use super::{App, Nginx, home, profiles};

/// One nginx with the include file of the article, and the profiles of the apps behind it.
pub(crate) struct Article {
    pub(crate) profiles: Profiles,
    nginx: Nginx,
    pub(crate) apps: [App; 2],
    _home: tempfile::TempDir,
}

impl Article {
    /// With the include file leading to `real1`; both apps say their profile's name at `/profile`.
    pub(crate) async fn start(binary: &Path) -> Self {
        let (home, apps) = (home(), [App::start("real1").await, App::start("real2").await]);
        lead_to(home.path(), apps[0].port);
        let nginx = Nginx::start(binary, home.path(), &http(home.path(), "")).await;
        Self { profiles: profiles(apps[0].port, apps[1].port), nginx, apps, _home: home }
    }

    /// With a site of its own: `groups` for the http block, `set` for the include file, and the argument of `proxy_pass`. In
    /// the texts stand `{1}` and `{2}` for the ports of the apps, and `{prefix}` for the directory.
    pub(crate) async fn with(binary: &Path, groups: &str, set: &str, pass: &str) -> Self {
        let (home, apps) = (home(), [App::start("real1").await, App::start("real2").await]);
        let profiles = profiles(apps[0].port, apps[1].port);
        let filled = |text: &str| fill(text, home.path(), &profiles);
        fs::write(home.path().join("service-url.inc"), filled(set)).unwrap();
        let http = filled(&site(groups, pass));
        let nginx = Nginx::start(binary, home.path(), &http).await;
        Self { profiles, nginx, apps, _home: home }
    }

    /// The include file, with the ports as [`Article::with`] takes them.
    pub(crate) fn text(&self) -> String {
        let text = fs::read_to_string(self.include().path()).unwrap();
        let [first, second] = self.profiles.both().map(|profile| profile.port().to_string());
        text.replace(&first, "{1}").replace(&second, "{2}")
    }

    /// Another such site, and a reload.
    pub(crate) async fn become_site(&self, groups: &str, set: &str, pass: &str) {
        let filled = |text: &str| fill(text, &self.prefix, &self.profiles);
        fs::write(self.include().path(), filled(set)).unwrap();
        self.nginx.configure(&filled(&site(groups, pass)));
        self.nginx.reload().await;
    }

    /// The two routes there are.
    pub(crate) fn routes(&self) -> [Route; 2] {
        self.profiles.both().map(|profile| Route::solo(profile.clone()))
    }

    /// The configuration of the article, with `more` in its http block.
    pub(crate) fn configure(&self, more: &str) {
        self.nginx.configure(&http(&self.prefix, more));
    }

    /// Writes the include file by hand.
    pub(crate) fn lead_to(&self, port: u16) {
        lead_to(&self.prefix, port);
    }

    pub(crate) fn include(&self) -> IncludeFile {
        IncludeFile::new(self.prefix.join("service-url.inc"))
    }

    pub(crate) fn switcher(&self) -> ReloadSwitcher {
        ReloadSwitcher::new(self.include(), &self.profiles, self.master(), self.commands())
            .with_error_log(self.prefix.join("error.log"))
    }

    pub(crate) fn resolver(&self) -> IncludeResolver {
        IncludeResolver::new(self.include(), &self.profiles, self.master())
    }

    pub(crate) fn endpoint(&self, profiles: &Profiles) -> ProfileEndpoint {
        ProfileEndpoint::new(self.client("/profile", &Options::default()), profiles)
    }

    /// Who answers users; empty when nobody does.
    pub(crate) async fn who(&self) -> String {
        let patient = Options { timeout: Duration::from_secs(60), ..Options::default() };
        let answer = self.client("/profile", &patient).get().await;
        answer.map(|answer| answer.text().into_owned()).unwrap_or_default()
    }

    pub(crate) fn client(&self, path: &str, options: &Options) -> Client {
        Client::new(&self.url(path), options).unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn reloads(&self) -> usize {
        self.log().matches("reconfiguring").count()
    }
}

impl Deref for Article {
    type Target = Nginx;

    fn deref(&self) -> &Nginx {
        &self.nginx
    }
}

impl DerefMut for Article {
    fn deref_mut(&mut self) -> &mut Nginx {
        &mut self.nginx
    }
}

fn site(groups: &str, pass: &str) -> String {
    format!(
        "{groups}\nserver {{ listen 127.0.0.1:{{port}}; location / {{ include {{prefix}}/service-url.inc; proxy_pass {pass}; }} }}"
    )
}

fn fill(text: &str, prefix: &Path, profiles: &Profiles) -> String {
    let [first, second] = profiles.both().map(|profile| profile.port().to_string());
    text.replace("{1}", &first).replace("{2}", &second).replace("{prefix}", &prefix.display().to_string())
}

fn http(prefix: &Path, more: &str) -> String {
    let include = prefix.join("service-url.inc");
    format!(
        "{more}\nserver {{ listen 127.0.0.1:{{port}}; location / {{ include {}; proxy_pass $service_url; }} }}",
        include.display()
    )
}

fn lead_to(prefix: &Path, port: u16) {
    fs::write(prefix.join("service-url.inc"), format!("set $service_url http://127.0.0.1:{port};\n")).unwrap();
}
