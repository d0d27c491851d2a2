//! Exit codes: what scripts read.

use bluegreen_core::{Cause, Failure, Step};

/// How the program ends. The numbers are a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or already so.
    Done = 0,
    /// An internal error; the last line says where traffic is.
    Internal = 1,
    /// Usage, configuration, or the wrong user. Traffic is untouched.
    Usage = 2,
    /// Refused before anything was touched: nginx down, not set up, set up differently, no memory or disk.
    Refused = 3,
    /// The new release never became healthy, or a hook before the switch failed. Traffic is untouched.
    Unhealthy = 10,
    /// A process could not be started or stopped, a stranger has the port, the artifact is bad. Traffic is untouched.
    Process = 11,
    /// The switch did not take effect and was undone. Traffic is where it was.
    Switch = 12,
    /// Switched, then reverted by the bake. Traffic is where it was.
    Reverted = 13,
    /// A person is needed; the text says what is seen and what to type.
    Degraded = 20,
    /// Another deploy holds the lock, or a prepared release waits. Traffic is untouched.
    Busy = 75,
    /// SIGINT; undone.
    Interrupted = 130,
    /// SIGTERM; undone.
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
    /// The code of a transaction that was undone because of `failure`.
    pub fn undone(failure: &Failure, request: StopRequest) -> Self {
        match (failure.cause, failure.step) {
            (Cause::Interrupted, _) => request.into(),
            (Cause::Aborted, _) => Self::Internal,
            (_, Step::Bake | Step::Retire) => Self::Reverted,
            (Cause::Unhealthy | Cause::Died | Cause::Deadline | Cause::Crashed, _) => Self::Unhealthy,
            (Cause::Process | Cause::PortTaken, _) => Self::Process,
            (Cause::Switch | Cause::Route, _) => Self::Switch,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn code(cause: Cause, step: Step) -> u8 {
        Exit::undone(&Failure::new(step, cause, "x"), StopRequest::Interrupt).code()
    }

    #[test]
    fn before_the_switch_the_cause_decides() {
        use Cause::{Aborted, Crashed, Deadline, Died, Interrupted, PortTaken, Process, Route, Switch, Unhealthy};
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
        ];
        for step in [Step::Stop, Step::Start, Step::Health, Step::Switch] {
            for (cause, expected) in table {
                assert_eq!(code(cause, step), expected, "{cause:?} in {step}");
            }
        }
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
