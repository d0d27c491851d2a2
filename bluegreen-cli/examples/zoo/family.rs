//! Those with relatives.

use std::{
    env, fs,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, exit},
    thread::sleep,
    time::Duration,
};

use rustix::process::setsid;

use super::{Animal, LIFE};

/// Lives as `kind`, if that is one of these.
pub(crate) fn live(me: &Animal, kind: &str) -> bool {
    match kind {
        // into the background, in the same session
        "forks" => spawn(me, "good"),
        // the old way: twice, and in a session of its own between the two
        "daemonises" => spawn(me, "daemonises-2"),
        "daemonises-2" => {
            setsid().expect("a session");
            spawn(me, "good");
        }
        // as that, and with nothing that tells whose it is
        "hides" => {
            let _ = me.again("hides-2").env_clear().spawn().expect("a child");
            // seen before its parent is gone
            super::wait_for(|| std::net::TcpStream::connect(("127.0.0.1", me.port)).is_ok());
            sleep(Duration::from_millis(300));
            exit(0);
        }
        "hides-2" => {
            setsid().expect("a session");
            me.good();
        }
        // another name, no environment; the same process
        "renamed" => {
            let error = me.again("good").env_clear().arg0("java: master [shop]").exec();
            panic!("{error}");
        }
        // one child in its own session, one in another
        "parent" => {
            spawn(me, "bystander");
            spawn(me, "loner");
            me.good();
        }
        "loner" => {
            setsid().expect("a session");
            sleep(LIFE);
        }
        // dies, and its children do not
        "bad-parent" => {
            spawn(me, "bystander");
            spawn(me, "loner");
            eprintln!("cannot reach the broker");
            sleep(Duration::from_millis(300));
            exit(5);
        }
        // a second one of itself, elsewhere
        "twin" => {
            spawn(me, "elsewhere");
            me.good();
        }
        // asks the one daemon of this user for a server, as `pm2 start`, and ends when that listens
        "pooled" => {
            let asked = pool(me).join(me.port.to_string());
            if fs::create_dir(pool(me)).is_ok() {
                spawn(me, "pool");
            }
            let wish = [&me.profile, &me.version, &env::var(TOKEN).expect("a token")].map(String::as_str).join(" ");
            fs::write(asked.with_extension("new"), wish).expect("to ask");
            fs::rename(asked.with_extension("new"), asked).expect("to ask");
            super::wait_for(|| std::net::TcpStream::connect(("127.0.0.1", me.port)).is_ok());
        }
        "pool" => {
            setsid().expect("a session");
            serve_wishes(me);
        }
        _ => return false,
    }
    true
}

const TOKEN: &str = "BLUEGREEN_TOKEN";

/// Where the daemon is asked.
fn pool(me: &Animal) -> PathBuf {
    me.book.with_extension("pool")
}

/// Its servers are its children, each with the environment of who asked for it.
fn serve_wishes(me: &Animal) {
    let mut servers: Vec<Child> = Vec::new();
    loop {
        for wish in fs::read_dir(pool(me)).expect("wishes").map(|wish| wish.expect("a wish").path()) {
            let port = wish.file_name().and_then(|name| name.to_str()?.parse().ok());
            let Some(port) = port else { continue };
            let text = fs::read_to_string(&wish).expect("a wish");
            let [profile, version, token] = text.split(' ').collect::<Vec<_>>()[..] else { panic!("{text:?}") };
            let server = Animal { port, profile: profile.to_owned(), version: version.to_owned(), ..me.clone() };
            servers.push(server.again("good").env(TOKEN, token).spawn().expect("a server"));
            fs::remove_file(wish).expect("to remove it");
        }
        servers.retain_mut(|server| server.try_wait().expect("its end").is_none());
        sleep(Duration::from_millis(5));
    }
}

#[expect(clippy::zombie_processes, reason = "bad parents do not wait")]
fn spawn(me: &Animal, kind: &str) {
    let _child = me.again(kind).spawn().expect("a child");
}
