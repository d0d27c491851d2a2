//! Those that listen where they should not, or not alone.

use std::{
    fs,
    net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use super::{
    Animal,
    server::{serve, shared},
    wait_for,
};

/// Lives as `kind`, if that is one of these.
pub(crate) fn live(me: &Animal, kind: &str) -> bool {
    let listener = match kind {
        "in-v6-only" => TcpListener::bind((Ipv6Addr::LOCALHOST, me.port)),
        "next-door" => TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), me.port)),
        "anywhere" => TcpListener::bind((Ipv4Addr::UNSPECIFIED, me.port)),
        "elsewhere" => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)),
        // lets others in
        "sharer" => Ok(shared(me.port)),
        // lets somebody else take its port first
        "too-late" => {
            fs::write(me.cue(), "").expect("the cue");
            wait_for(|| TcpStream::connect((Ipv4Addr::LOCALHOST, me.port)).is_ok());
            thread::sleep(Duration::from_millis(300));
            me.good();
            return true;
        }
        // the same, and does not give up
        "patient" => {
            fs::write(me.cue(), "").expect("the cue");
            wait_for(|| TcpStream::connect((Ipv4Addr::LOCALHOST, me.port)).is_ok());
            loop {
                if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, me.port)) {
                    break Ok(listener);
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
        _ => return false,
    };
    serve(listener.expect("the port"), me.answer());
    true
}
