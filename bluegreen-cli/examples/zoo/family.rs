//! Those with relatives.

use std::{os::unix::process::CommandExt as _, process::exit, thread::sleep, time::Duration};

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
        _ => return false,
    }
    true
}

#[expect(clippy::zombie_processes, reason = "bad parents do not wait")]
fn spawn(me: &Animal, kind: &str) {
    let _child = me.again(kind).spawn().expect("a child");
}
