//! nginx as somebody has it who sets bluegreen up.

use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use bluegreen_core::Route;
use bluegreen_nginx::setup::Setup;

use super::{Nginx, Shop, get};

/// The article's location, in a file of its own beside others.
pub(crate) const SITE: &str = "server {
    listen 127.0.0.1:{port};
    server_name shop.example; # ours

    location / {
        proxy_pass http://localhost:{app};
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header Host $http_host;
    }
    location /static/ {
        return 204;
    }
}
";

/// A machine with nginx and two apps, and a site that goes to `app`.
pub(crate) struct Machine {
    pub(crate) shop: Shop,
    pub(crate) nginx: Nginx,
    pub(crate) site: PathBuf,
    pub(crate) setup: Setup,
}

impl Machine {
    pub(crate) async fn start(binary: &Path, home: &Path, site: &str, app: Option<u16>) -> Self {
        let shop = Shop::start("my-shop", home).await;
        let app = app.unwrap_or(shop.second.as_ref().unwrap().port);
        // as on Debian: a link in one directory to the file in another
        std::fs::create_dir_all(home.join("sites")).unwrap();
        std::fs::create_dir_all(home.join("available")).unwrap();
        let path = home.canonicalize().unwrap().join("available/shop");
        symlink(&path, home.join("sites/shop")).unwrap();
        // nginx's port is known once it runs: the site listens on what the rig chose
        let http = format!("include {}/sites/*;", home.display());
        let nginx = Nginx::start_with(binary, home, &http, |port| {
            let text = site.replace("{port}", &port.to_string()).replace("{app}", &app.to_string());
            std::fs::write(&path, text).unwrap();
        })
        .await;
        let setup = Setup {
            app: shop.app.clone(),
            route: shop.route.clone(),
            proof: nginx.proof(&shop.app),
            master: nginx.master(),
            commands: nginx.commands(),
            nginx_dir: home.to_owned(),
            site: None,
            owner: None,
            last: Ok(None),
            allow_temporary: true,
        };
        Self { shop, nginx, site: path, setup }
    }

    pub(crate) fn site(&self) -> String {
        std::fs::read_to_string(&self.site).unwrap()
    }

    /// All files below the prefix that are nginx's or ours, with their texts; without the copies.
    pub(crate) fn files(&self) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        for dir in ["", "conf.d", "sites", "bluegreen"] {
            let Ok(entries) = self.nginx.prefix.join(dir).read_dir() else { continue };
            for path in entries.map(|e| e.unwrap().path()) {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if path.is_file() && !name.contains(".bluegreen-") && !name.contains("error.log") {
                    found.push((path.clone(), std::fs::read_to_string(&path).unwrap()));
                }
            }
        }
        found.sort();
        found
    }

    pub(crate) async fn who(&self) -> String {
        get(self.nginx.address, "/").await.unwrap().1
    }

    pub(crate) fn second(&self) -> Route {
        Route::solo(self.shop.route.profiles().second().clone())
    }
}
