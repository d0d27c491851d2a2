//! Those that end, or stop, before anybody asked them to.

use std::{process::exit, thread};

use rustix::process::{Resource, Rlimit, Signal, getpid, kill_process, setrlimit};

use super::{Animal, LIFE, wait_for};

/// Lives as `kind`, if that is one of these.
pub(crate) fn live(me: &Animal, kind: &str) -> bool {
    match kind {
        "exits-0" => exit(0),
        "exits-1" => exit(1),
        "exits-137" => exit(137),
        "segfaults" => end_by(Signal::SEGV),
        "aborts" => std::process::abort(),
        "is-killed" => end_by(Signal::KILL),
        "hungry" => eat(),
        "greedy" => {
            setrlimit(Resource::As, Rlimit { current: Some(64 << 20), maximum: Some(64 << 20) }).expect("a limit");
            eat();
        }
        // goes when the cue comes
        "mortal" => {
            let cue = me.cue();
            thread::spawn(move || {
                wait_for(|| cue.exists());
                eprintln!("lost the database");
                exit(3);
            });
            me.good();
        }
        "stops-itself" => {
            kill_process(getpid(), Signal::STOP).expect("to stop");
            me.good();
        }
        "escapes" => {
            println!("\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[31mno\u{1b}[0m database\u{202e}\r\u{9b}1A");
            exit(1);
        }
        "one-line" => {
            print!("{} the end of it", "x".repeat(1 << 20));
            exit(1);
        }
        _ => return false,
    }
    true
}

/// Uses memory until there is none.
fn eat() {
    let mut stomach: Vec<Vec<u8>> = Vec::new();
    loop {
        // written to, or it would not count
        stomach.push(vec![1; 4 << 20]);
    }
}

fn end_by(signal: Signal) {
    // the Rust runtime takes the first SIGSEGV for a question about the stack
    for _ in 0..2 {
        kill_process(getpid(), signal).expect("a signal");
    }
    thread::sleep(LIFE);
}
