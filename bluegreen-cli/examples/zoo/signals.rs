//! Those that take a signal in their own way.

use std::{
    net::{Ipv4Addr, TcpListener},
    process::exit,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{sleep, spawn},
    time::Duration,
};

use rustix::net::{Shutdown, shutdown};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag::register,
};

use super::{Animal, LIFE, server::serve, wait_for};

/// Lives as `kind`, if that is one of these.
pub(crate) fn live(me: &Animal, kind: &str) -> bool {
    match kind {
        "stubborn" => {
            for signal in [SIGTERM, SIGHUP, SIGINT] {
                heard(signal);
            }
            me.good();
        }
        // ends a while after it was asked
        "slow" | "slower" => {
            let while_it_saves = if kind == "slow" { Duration::from_millis(700) } else { LIFE };
            at(SIGTERM, move || {
                sleep(while_it_saves);
                println!("all is saved");
                exit(0);
            });
            me.good();
        }
        // takes connections and never answers them, once it was asked to end
        "sulks" => {
            let asked = heard(SIGTERM);
            let (listener, good) = (listener(me), me.answer());
            serve(listener, move |request, stream| {
                if asked.load(Ordering::SeqCst) {
                    sleep(LIFE);
                }
                good(request, stream)
            });
        }
        // the way it should be: no new connections, and what is in flight is answered
        "drains" => {
            let listener = listener(me);
            let ours = listener.try_clone().expect("a descriptor");
            at(SIGTERM, move || shutdown(&ours, Shutdown::Both).expect("to shut it down"));
            serve(listener, me.answer());
            println!("drained");
        }
        // heeds only HUP
        "hung-up" => {
            heard(SIGTERM);
            at(SIGHUP, || exit(0));
            me.good();
        }
        _ => return false,
    }
    true
}

fn listener(me: &Animal) -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, me.port)).expect("the port")
}

/// Whether the signal came; it does nothing else.
fn heard(signal: i32) -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    register(signal, flag.clone()).expect("a handler");
    flag
}

fn at(signal: i32, then: impl FnOnce() + Send + 'static) {
    let flag = heard(signal);
    spawn(move || {
        wait_for(|| flag.load(Ordering::SeqCst));
        then();
    });
}
