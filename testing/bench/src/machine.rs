//! Where and when it was measured.

use std::{env, fmt, fs, path::Path, process::Command, thread};

/// What a reader needs to judge the numbers.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The day, UTC.
    pub date: String,
    /// The command line, with the program's name for its path.
    pub command: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// The kernel's release.
    pub kernel: String,
    /// As `nginx/1.22.1`.
    pub nginx: String,
    /// The load average over 1, 5 and 15 minutes when the run began and, of a run that is over, when it ended: others on
    /// the machine make every number larger.
    pub load: Vec<String>,
    /// Whether this program was built with optimisation.
    pub build: &'static str,
}

impl Machine {
    /// Looks at this machine; what cannot be read is "unknown".
    pub fn look(nginx: &Path) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_else(|_| "unknown".to_owned()).trim().to_owned();
        let name = env!("CARGO_PKG_NAME").to_owned();
        Self {
            date: output(Command::new("date").args(["-u", "+%Y-%m-%d"])),
            command: [name].into_iter().chain(env::args().skip(1)).collect::<Vec<_>>().join(" "),
            cores: thread::available_parallelism().map_or(0, Into::into),
            kernel: read("/proc/sys/kernel/osrelease"),
            nginx: output(Command::new(nginx).arg("-v")).replace("nginx version: ", ""),
            load: vec![load()],
            build: if cfg!(debug_assertions) { "debug" } else { "release" },
        }
    }

    /// The same, when the run is over.
    #[must_use]
    pub fn at_the_end(mut self) -> Self {
        self.load.push(load());
        self
    }
}

fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// The first line that a command writes, wherever it writes it.
fn output(command: &mut Command) -> String {
    let text = command.output().map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().next().unwrap_or("unknown").to_owned()
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Measured {} with `{}` ({} build) on {} cores, Linux {}, {}, load average {}.",
            self.date,
            self.command,
            self.build,
            self.cores,
            self.kernel,
            self.nginx,
            self.load.join(" at the start, at the end ")
        )
    }
}
