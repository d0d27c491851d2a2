//! Exit codes: what scripts read.

use bluegreen_core::{Cause, Failure, Step};

/// How the program ends. The numbers are a promise; [`Exit::means`] says what each is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "`means` says it, for people too")]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    Internal = 1,
    Usage = 2,
    Refused = 3,
    Unhealthy = 10,
    Process = 11,
    Switch = 12,
    Reverted = 13,
    Degraded = 20,
    Busy = 75,
    Interrupted = 130,
    Terminated = 143,
}

/// What asked us to stop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StopRequest {
    /// A person at the keyboard.
    #[default]
    Interrupt,
    /// A machine, as a cancelled CI job.
    Terminate,
}

impl Exit {
    /// All of them, by their numbers.
    pub const ALL: [Self; 12] = [
        Self::Done,
        Self::Internal,
        Self::Usage,
        Self::Refused,
        Self::Unhealthy,
        Self::Process,
        Self::Switch,
        Self::Reverted,
        Self::Degraded,
        Self::Busy,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// What it means, and where traffic is: the table of `docs/exit-codes.md`.
    pub fn means(self) -> [&'static str; 2] {
        let (untouched, as_before) = ("untouched", "where it was");
        match self {
            Self::Done => [
                "done, or already so; of `up`: what should serve does, also where the release for a rollback could not be started, which \
                 is a warning then",
                "as asked",
            ],
            Self::Internal => [
                "internal error, or the state could not be written half-way: the transaction stays open, and the next \
                 command finishes or undoes it; or all is done, and not all of the output could be written",
                "the last line says",
            ],
            Self::Usage => ["usage, configuration, or the wrong user", untouched],
            Self::Refused => [
                "refused before anything was touched: nginx down, not set up, set up differently, no memory or disk, a \
                 front door that shows another page, a release to promote that neither waits nor has the traffic, or what is so \
                 cannot be seen; `check` found such a thing",
                untouched,
            ],
            Self::Unhealthy => [
                "the new release never became healthy, or died while it waited for `promote`; or a hook before the \
                 switch failed",
                untouched,
            ],
            Self::Process => [
                "a process could not be stopped or started, the port is taken by a foreign process, the artifact is bad",
                "untouched; where a stop took along what had it, that is brought back before the command ends, else 20",
            ],
            Self::Switch => ["the switch did not take effect and was undone", as_before],
            Self::Reverted => ["switched, then reverted by the bake", as_before],
            Self::Degraded => [
                "degraded: a person is needed; also `status` unless the active release answers and no stranger is its standby, or \
                 none was deployed yet: DOWN, FAILED OVER, DEGRADED or UNKNOWN is its first word then",
                "said",
            ],
            Self::Busy => ["another command holds the lock, or a prepared release waits (also of `check`)", untouched],
            Self::Interrupted => {
                ["interrupted by SIGINT and undone; after the bake the command just finishes", as_before]
            }
            Self::Terminated => {
                ["interrupted by SIGTERM and undone; after the bake the command just finishes", as_before]
            }
        }
    }

    /// The code of a transaction that was undone because of `failure`.
    pub fn undone(failure: &Failure, request: StopRequest) -> Self {
        match (failure.cause, failure.step) {
            (Cause::Interrupted, _) => request.into(),
            (Cause::Aborted, _) => Self::Internal,
            (_, Step::Bake | Step::Retire) => Self::Reverted,
            (Cause::Unhealthy | Cause::Died | Cause::Deadline | Cause::Crashed | Cause::Hook, _) => Self::Unhealthy,
            (Cause::Switch | Cause::Route, _) | (Cause::Blind, Step::Switch) => Self::Switch,
            (Cause::Process | Cause::PortTaken | Cause::Blind, _) => Self::Process,
        }
    }

    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The `outcome` of the last event; `done` is the command's own word for success, as `switched`.
    pub fn outcome(self, done: &'static str) -> &'static str {
        match self {
            Self::Done => done,
            Self::Refused => "refused",
            Self::Internal | Self::Usage | Self::Unhealthy | Self::Process | Self::Switch => "failed",
            Self::Reverted => "reverted",
            Self::Degraded => "degraded",
            Self::Busy => "locked",
            Self::Interrupted | Self::Terminated => "interrupted",
        }
    }
}

impl From<StopRequest> for Exit {
    fn from(request: StopRequest) -> Self {
        match request {
            StopRequest::Interrupt => Self::Interrupted,
            StopRequest::Terminate => Self::Terminated,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// The table as a page of Markdown.
pub fn reference() -> String {
    let row = |exit: Exit| format!("| {} | {} |\n", exit.code(), exit.means().join(" | "));
    format!(
        "# Exit codes\n\nMade by the program itself. The numbers are a promise. What to do at each: the [runbook](runbook.md).\n\n\
         | code | means | traffic |\n|---|---|---|\n{}\n{SIGNALS}",
        Exit::ALL.map(row).concat()
    )
}

const SIGNALS: &str = "\
SIGHUP is ignored, so a lost SSH connection does not stop a deploy. A second SIGINT ends at once with 130: the transaction stays
open, the last line says where traffic is, and the next command finishes it. `logs -f` and `status --watch` end with 0 when they are
interrupted, as that is how they end.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn code(cause: Cause, step: Step) -> u8 {
        Exit::undone(&Failure::new(step, cause, "x"), StopRequest::Interrupt).code()
    }

    #[test]
    fn before_the_switch_the_cause_decides() {
        use Cause::{
            Aborted, Crashed, Deadline, Died, Hook, Interrupted, PortTaken, Process, Route, Switch, Unhealthy,
        };
        let table = [
            (Unhealthy, 10),
            (Died, 10),
            (Deadline, 10),
            (Process, 11),
            (PortTaken, 11),
            (Switch, 12),
            (Route, 12),
            (Interrupted, 130),
            (Crashed, 10),
            (Aborted, 1),
            (Hook, 10),
        ];
        for step in [Step::Stop, Step::Start, Step::Health, Step::Switch] {
            for (cause, expected) in table {
                assert_eq!(code(cause, step), expected, "{cause:?} in {step}");
            }
        }
    }

    /// What could not be seen, counted from the command's own first effect; before that the engine refuses, with 3.
    #[test]
    fn what_was_blind_ends_by_how_far_it_had_come() {
        let codes = Step::ALL.map(|step| code(Cause::Blind, step));
        assert_eq!(codes, [11, 11, 11, 12, 13, 13]);
        let refused = bluegreen_core::Refusal::Blind(bluegreen_core::Blind::Route("x".into()));
        assert_eq!(crate::halt::Halt::from(refused).exit, Exit::Refused);
    }

    #[test]
    fn what_was_switched_is_reverted() {
        for cause in [Cause::Unhealthy, Cause::Died, Cause::Deadline, Cause::Switch, Cause::Route, Cause::Process] {
            assert_eq!((code(cause, Step::Bake), code(cause, Step::Retire)), (13, 13), "{cause:?}");
        }
        assert_eq!(code(Cause::Interrupted, Step::Bake), 130);
        let terminated = Failure::new(Step::Bake, Cause::Interrupted, "x");
        assert_eq!(Exit::undone(&terminated, StopRequest::Terminate).code(), 143);
    }
}
