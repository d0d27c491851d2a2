//! `nginx/after` is what the set-up makes of `nginx/before`. `UPDATE=1 cargo test` writes it anew.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use bluegreen_core::{Name, Profile, Profiles};
use bluegreen_http::Options;
use bluegreen_lab::nginx::Nginx;
use bluegreen_nginx::{Commands, Master, ProofLocation, RouteDir, setup};

#[tokio::test(flavor = "multi_thread")]
async fn the_site_after_the_set_up() {
    let Some(binary) = Nginx::find() else {
        eprintln!("SKIPPED: no nginx on this machine");
        return;
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("nginx");
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let home = dir.path().canonicalize().unwrap();
    let etc = home.join("etc");
    fs::create_dir_all(etc.join("conf.d")).unwrap();
    fs::create_dir_all(etc.join("sites-enabled")).unwrap();
    let main = format!(
        "pid {0}/pid; error_log {0}/error.log; events {{}}\nhttp {{ include {1}/conf.d/*.conf; include {1}/sites-enabled/*; }}\n",
        home.display(),
        etc.display()
    );
    fs::write(etc.join("nginx.conf"), main).unwrap();
    // port 80 is root's
    let listen = format!("listen 127.0.0.1:{};", bluegreen_process::free_port().unwrap());
    let site = fs::read_to_string(here.join("before/shop")).unwrap();
    fs::write(etc.join("sites-enabled/shop"), site.replace("listen 80;", &listen)).unwrap();

    let plan = plan(&binary, &home, &etc).await;
    let mut texts = Vec::new();
    for edit in &plan.edits {
        let path = edit.path.strip_prefix(&etc).unwrap();
        let text = edit.after.as_ref().unwrap().replace(&listen, "listen 80;");
        let text = text.replace(&etc.display().to_string(), "/etc/nginx");
        texts.push((path, text.replace(&home.display().to_string(), "/var/lib/bluegreen/shop")));
    }
    assert_eq!(texts.len(), 3, "{texts:?}");
    for (path, text) in texts {
        let file = here.join("after").join(path);
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, &text).unwrap();
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), text, "{}: run UPDATE=1 cargo test", file.display());
    }
}

async fn plan(binary: &Path, home: &Path, etc: &Path) -> setup::Plan {
    let profile = |name: &str, port| Profile::new(name.parse().unwrap(), port).unwrap();
    let profiles = Profiles::new(profile("real1", 8081), profile("real2", 8082)).unwrap();
    let nginx =
        [binary, "-p".as_ref(), home, "-e".as_ref(), &home.join("error.log"), "-c".as_ref(), &etc.join("nginx.conf")]
            .map(|word| word.display().to_string());
    // nobody is there: the plan is for an nginx that is not set up yet
    let app: Name = "shop".parse().unwrap();
    let nobody = Options {
        connect: Some(([127, 0, 0, 1], bluegreen_process::free_port().unwrap()).into()),
        ..Options::default()
    };
    let proof = ProofLocation::new("http://shop.example/", &app, &nobody).unwrap();
    let setup = setup::Setup {
        app,
        route: RouteDir::new(home.join("route"), profiles).unwrap(),
        proof,
        master: Master::new(),
        commands: Commands::new(nginx),
        nginx_dir: etc.to_owned(),
        site: None,
        owner: None,
        last: Ok(None),
        allow_temporary: true,
    };
    setup.plan(None).await.unwrap()
}
