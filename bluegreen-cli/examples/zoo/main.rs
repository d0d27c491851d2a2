//! The zoo: apps that misbehave, each in its own way, for the end-to-end tests.
//!
//! `zoo KIND BOOK PORT PROFILE VERSION`. Every process of it writes itself into the file BOOK, so that a test knows whom to
//! look for. Some wait for a cue: the file `BOOK.cue`.
#![forbid(unsafe_code)]

mod answers;
mod ends;
mod family;
mod places;
mod server;
mod signals;

use std::{
    env,
    fs::{self, OpenOptions},
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Command, exit},
    thread,
    time::Duration,
};

use rustix::process::getpid;
use server::serve;

/// One that nobody stops ends by itself: a failed test leaves nothing for long.
const LIFE: Duration = Duration::from_secs(900);

/// A process of the zoo.
#[derive(Debug, Clone)]
struct Animal {
    book: PathBuf,
    port: u16,
    profile: String,
    version: String,
}

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let [kind, book, port, profile, version] = &words[..] else { panic!("zoo KIND BOOK PORT PROFILE VERSION") };
    let port = port.parse().expect("a port");
    let me = Animal { book: book.into(), port, profile: profile.clone(), version: version.clone() };
    me.write_down();
    thread::spawn(|| {
        thread::sleep(LIFE);
        exit(99);
    });
    me.live(kind);
}

impl Animal {
    fn write_down(&self) {
        let stat = fs::read_to_string("/proc/self/stat").expect("/proc");
        let birth = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(19)).expect("a start time");
        let mut book = OpenOptions::new().append(true).create(true).open(&self.book).expect("the book");
        book.write_all(format!("{} {birth}\n", getpid().as_raw_nonzero()).as_bytes()).expect("the book");
    }

    /// Does what this kind does, until its end.
    fn live(&self, kind: &str) {
        if [answers::live, ends::live, family::live, places::live, signals::live].iter().any(|live| live(self, kind)) {
            return;
        }
        match kind {
            "good" => self.good(),
            "bystander" => thread::sleep(LIFE),
            "late" => {
                thread::sleep(Duration::from_millis(1500));
                self.good();
            }
            "reads-input" => {
                let mut input = String::new();
                std::io::stdin().read_to_string(&mut input).expect("an end of the input");
                self.good();
            }
            "wanders" => {
                fs::remove_file(env::current_exe().expect("a program")).expect("to remove it");
                env::set_current_dir("/").expect("another directory");
                self.good();
            }
            "floods" => {
                thread::spawn(|| {
                    let line = "nothing to see here, go on ".repeat(40) + "\n";
                    // 10 MB, as fast as it can: a full disk is another test
                    for _ in 0..9_000 {
                        print!("{line}");
                    }
                });
                self.good();
            }
            other => panic!("no such animal: {other}"),
        }
    }

    fn good(&self) {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)) {
            Ok(listener) => serve(listener, self.answer()),
            Err(error) => {
                eprintln!("cannot listen on port {}: {error}", self.port);
                exit(1);
            }
        }
    }

    fn cue(&self) -> PathBuf {
        self.book.with_extension("cue")
    }

    /// The same program as another kind.
    fn again(&self, kind: &str) -> Command {
        let mut again = Command::new(env::current_exe().expect("a program"));
        again.arg(kind).arg(&self.book).args([&self.port.to_string(), &self.profile, &self.version]);
        again
    }
}

fn wait_for(so: impl Fn() -> bool) {
    while !so() {
        thread::sleep(Duration::from_millis(5));
    }
}
