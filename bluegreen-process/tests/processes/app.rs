//! Small servers with bad habits.

use std::{
    env,
    fmt::Write as _,
    fs,
    net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream},
    os::fd::{AsFd, OwnedFd},
    process::{Command, Stdio, exit},
    sync::{Arc, atomic::AtomicBool},
    thread::sleep,
    time::Duration,
};

use rustix::net::{AddressFamily, SocketType, bind, listen, socket, sockopt};

/// The life of an app that nobody stopped: a failed test leaves nothing for long.
const LIFE: Duration = Duration::from_secs(300);

/// The command that runs [`run`]; the kind is in `APP_KIND`.
pub(crate) fn command() -> Vec<String> {
    let exe = env::current_exe().unwrap().to_str().unwrap().to_owned();
    [exe.as_str(), "app", "--exact", "--nocapture", "--test-threads=1"].map(ToOwned::to_owned).into()
}

pub(crate) fn run(kind: &str) {
    let port = env::var("BLUEGREEN_PORT").map_or(0, |port| port.parse().unwrap());
    let v4 = || TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    match kind {
        "quiet" => sleep(LIFE),
        "listen" => park(v4()),
        "dual" => park(TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).unwrap()),
        "stubborn" => {
            signal_hook::flag::register(15, Arc::new(AtomicBool::new(false))).unwrap();
            // binding tells the test that the signal is handled
            let _listener = v4();
            // a signal ends one sleep, not this one
            sleep(LIFE);
        }
        "reuse" => park(shared(port)),
        // three processes on one socket, as gunicorn; the children have it as their input
        "prefork" => {
            let listener = OwnedFd::from(v4());
            let mut children: Vec<_> = (0..2)
                .map(|_| again("quiet").stdin(Stdio::from(listener.try_clone().unwrap())).spawn().unwrap())
                .collect();
            fs::write("ready", "").unwrap();
            for child in &mut children {
                let _ = child.wait();
            }
        }
        // the process that was started ends with 0, its child in another session stays, as old daemons do
        "daemon" => {
            use process_wrap::std::{CommandWrap, ProcessSession};
            CommandWrap::from(again("listen")).wrap(ProcessSession).spawn().unwrap();
            exit(0);
        }
        // the leader goes, a child in its session that wrote over its environment stays
        "orphan" => {
            let mut child = again("listen");
            child.env_remove("BLUEGREEN_TOKEN").spawn().unwrap();
            let carrier = again("quiet").spawn().unwrap();
            assert!(carrier.id() > 0);
            exit(0);
        }
        "die" => {
            println!("\n\u{1b}[31mcannot connect\u{1b}[0m to the database");
            exit(3);
        }
        "abort" => std::process::abort(),
        "report" => {
            fs::write("report.new", report()).unwrap();
            fs::rename("report.new", "report").unwrap();
            sleep(LIFE);
        }
        other => run_beside_another(other, port),
    }
}

/// Those that have to do with the other profile.
fn run_beside_another(kind: &str, port: u16) {
    let v4 = || TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    match kind {
        // its own port, and a share of the other one
        "twin" => {
            let other = env::var("OTHER_PORT").unwrap().parse().unwrap();
            let _own = v4();
            park(shared(other));
        }
        // one daemon for whoever asks, as pm2: it starts the servers, and they are its children
        "daemon-of-all" => serve_all(None),
        "daemon-that-listens" => serve_all(Some(v4())),
        // asks the daemon for a server, and ends when that listens
        "client" => {
            let ask = format!("{port} {}", env::var("BLUEGREEN_TOKEN").unwrap());
            fs::write("ask.new", ask).unwrap();
            fs::rename("ask.new", "ask").unwrap();
            while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
                sleep(Duration::from_millis(5));
            }
            exit(0);
        }
        other => panic!("no such kind of app: {other}"),
    }
}

fn shared(port: u16) -> OwnedFd {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    sockopt::set_socket_reuseport(&socket, true).unwrap();
    bind(&socket, &std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, port))).unwrap();
    listen(&socket, 8).unwrap();
    socket
}

fn serve_all(_own: Option<TcpListener>) {
    let mut servers = Vec::new();
    loop {
        if let Ok(ask) = fs::read_to_string("ask") {
            fs::remove_file("ask").unwrap();
            let (port, token) = ask.split_once(' ').unwrap();
            servers.push(again("listen").env("BLUEGREEN_PORT", port).env("BLUEGREEN_TOKEN", token).spawn().unwrap());
        }
        // each that ended is reaped
        servers.retain_mut(|server| server.try_wait().unwrap().is_none());
        sleep(Duration::from_millis(5));
    }
}

fn again(kind: &str) -> Command {
    let command = command();
    let mut again = Command::new(&command[0]);
    again.args(&command[1..]).env("APP_KIND", kind);
    again
}

fn park(listener: impl AsFd) {
    println!("listening");
    let _open = listener.as_fd();
    sleep(LIFE);
}

/// What this process got from its parent.
fn report() -> String {
    let mut text = String::new();
    for fd in fs::read_dir("/proc/self/fd").unwrap().flatten() {
        let target = fs::read_link(fd.path()).unwrap_or_default();
        let _ = writeln!(text, "fd {} {}", fd.file_name().display(), target.display());
    }
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    for line in status.lines().filter(|line| ["SigBlk", "SigIgn", "Umask"].iter().any(|key| line.starts_with(key))) {
        let _ = writeln!(text, "{}", line.replace(":\t", " "));
    }
    let _ = writeln!(text, "cwd {}", env::current_dir().unwrap().display());
    let leads = rustix::process::getsid(None).unwrap() == rustix::process::getpid();
    let _ = writeln!(text, "session {leads}");
    for (name, value) in env::vars() {
        let _ = writeln!(text, "env {name}={value}");
    }
    text
}
