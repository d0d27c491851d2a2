use std::{net::SocketAddr, time::Duration};

use tokio::time::Instant;

use super::run::Run;
use crate::{
    Cause, Elsewhere, Failure, Occupant, Outcome, Process, Profile, Step, Unhealthy,
    machine::{Next, Then},
    took,
};

/// The first pause between two attempts, and the pause while nobody listens: an attempt costs a fraction of a millisecond
/// then, and readiness is seen at once.
pub(super) const TIGHT: Duration = Duration::from_millis(10);
/// The pause between two good attempts: the second one tells that the first was no accident. That it stays so is for the
/// bake to see.
const AGAIN: Duration = Duration::from_millis(2);
/// While something answers, pauses grow to a tenth of the time waited, up to the policy's interval.
const PATIENCE: u32 = 10;
/// How often the process behind the port is looked at: a death is noticed within twice that.
const LOOK_EVERY: Duration = Duration::from_millis(80);
/// How long the proof right before a switch may take.
const PROOF_LIMIT: Duration = Duration::from_secs(5);
/// How often a wait says that it still waits.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// With what the release answered last, before it ended.
fn last_answer(mut failure: Failure, told: Option<(String, Instant)>) -> Failure {
    failure.facts.answer = told.map(|(answer, _)| answer);
    failure
}

impl Run<'_> {
    /// Waits until `process` has answered well often enough in a row, and owns its port.
    pub(super) async fn await_healthy(&mut self, profile: &Profile, process: &Process) -> Result<(), Failure> {
        let limit = self.deployer.policy.health_deadline;
        let attempts = self.threshold_in_a_row(profile, process, limit, true).await?;
        self.detail = format!("healthy, {attempts} attempts");
        Ok(())
    }

    /// Proves that `expect` is on `profile` and healthy at this moment.
    pub(super) async fn healthy_now(&self, profile: &Profile, expect: &Occupant) -> Result<(), Failure> {
        let limit = PROOF_LIMIT.min(self.deployer.policy.health_deadline);
        if let Some(process) = expect.ours() {
            return self.threshold_in_a_row(profile, process, limit, false).await.map(|_| ());
        }
        self.check_in_a_row(profile, limit).await?;
        if self.inspect(profile).await? == *expect {
            return Ok(());
        }
        Err(self.failure(Cause::Process, format!("somebody else is on {profile} now")))
    }

    /// A stranger that had the traffic before us: it cannot be told apart by identity, only by who holds the port.
    async fn check_in_a_row(&self, profile: &Profile, limit: Duration) -> Result<(), Failure> {
        let (began, mut good) = (Instant::now(), 0);
        loop {
            match self.deployer.probe.check(profile).await {
                Ok(()) => good += 1,
                Err(why) if began.elapsed() >= limit => return Err(self.unhealthy(profile, &why, limit).await),
                Err(_) => good = 0,
            }
            if good >= self.deployer.policy.healthy_threshold {
                return Ok(());
            }
            tokio::time::sleep(TIGHT).await;
        }
    }

    async fn threshold_in_a_row(
        &self,
        profile: &Profile,
        process: &Process,
        limit: Duration,
        tell: bool,
    ) -> Result<u32, Failure> {
        let (step, interrupts, threshold) = (self.current(), self.interrupts(), self.deployer.policy.healthy_threshold);
        // one that its supervisor runs again has no more time for that
        let began = if tell { self.step_began } else { Instant::now() };
        let (mut told, mut good, mut attempts, mut bad) = (None::<(String, _)>, 0, 0, None);
        // an attempt may take as long as its timeout: a death, or an interrupt, shall not wait for it
        let mut gone = std::pin::pin!(self.until_gone(profile, process));
        loop {
            let answer = tokio::select! {
                answer = self.deployer.probe.check(profile) => answer,
                failure = &mut gone => return Err(last_answer(failure, told)),
                failure = interrupts.heard(step) => return Err(failure),
            };
            attempts += 1;
            good = if answer.is_ok() { good + 1 } else { 0 };
            bad = answer.as_ref().err().cloned().or(bad);
            if good >= threshold && self.still_there(profile, process).await? {
                return Ok(attempts);
            }
            let waited = began.elapsed();
            if waited >= limit {
                let why = answer.err().unwrap_or_else(|| match bad {
                    Some(bad) if good < threshold => {
                        Unhealthy::Sick(format!("{good} of {threshold} good answers in a row; before that: {bad}"))
                    }
                    _ => Unhealthy::Sick(format!("{profile} answers, but the process does not own the port")),
                });
                return Err(self.unhealthy(profile, &why, limit).await);
            }
            if tell {
                self.tell_wait(profile, &answer, good, (waited, limit), &mut told);
            }
            tokio::select! {
                slept = interrupts.sleep(step, self.pause(&answer, good, waited)) => slept?,
                failure = &mut gone => return Err(last_answer(failure, told)),
            }
        }
    }

    /// Says why it waits when the reason changes, and once a second.
    fn tell_wait(
        &self,
        profile: &Profile,
        answer: &Result<(), Unhealthy>,
        good: u32,
        (waited, limit): (Duration, Duration),
        told: &mut Option<(String, Instant)>,
    ) {
        let reason = match answer {
            Ok(()) => format!("{profile} answers, {good} of {}", self.deployer.policy.healthy_threshold),
            Err(why) => format!("{profile}: {why}"),
        };
        if told.as_ref().is_none_or(|(last, at)| *last != reason || at.elapsed() >= TELL_EVERY) {
            self.waiting(reason.clone(), waited, limit);
            *told = Some((reason, Instant::now()));
        }
    }

    fn pause(&self, answer: &Result<(), Unhealthy>, good: u32, waited: Duration) -> Duration {
        match answer {
            Ok(()) if good < self.deployer.policy.healthy_threshold => AGAIN,
            Ok(()) | Err(Unhealthy::Refused(_)) => TIGHT,
            Err(_) => (waited / PATIENCE).clamp(TIGHT, self.deployer.policy.health_interval.max(TIGHT)),
        }
    }

    /// Whether `process` is there and the port is its own; an error when it is gone for good.
    pub(super) async fn still_there(&self, profile: &Profile, process: &Process) -> Result<bool, Failure> {
        match self.inspect(profile).await? {
            Occupant::Ours { process: seen, listening } if seen == *process => Ok(listening),
            Occupant::Stranger { who, .. } => Err(Failure::taken(self.current(), profile, &who)),
            _ => Err(self.died(profile, process)),
        }
    }

    /// Ends only when `process` is gone.
    pub(super) async fn until_gone(&self, profile: &Profile, process: &Process) -> Failure {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if let Err(failure) = self.still_there(profile, process).await {
                return failure;
            }
        }
    }

    fn died(&self, profile: &Profile, process: &Process) -> Failure {
        self.failure(Cause::Died, format!("release {} on {profile} ended", process.release))
    }

    /// Adds to a failure of the new process its last words, and how it ended if it did.
    pub(super) async fn explain(&self, next: &mut Next) {
        let Some(tx) = self.walked.as_ref() else { return };
        let undo = next.state.transaction.as_mut().and_then(|tx| tx.undo.as_mut());
        let end = match &mut next.then {
            Then::End(Outcome::Undone(failure) | Outcome::Degraded { failure, .. }) => Some(failure),
            _ => None,
        };
        // of what was not started here, the last words are about something else
        let unexplained = |f: &&mut Failure| match f.cause {
            Cause::Died => f.causes.is_empty() && f.log.is_empty(),
            Cause::Unhealthy | Cause::Deadline => f.log.is_empty() && tx.started && f.step >= Step::Start,
            _ => false,
        };
        for failure in [undo, end].into_iter().flatten().filter(unexplained) {
            let autopsy = self.deployer.processes.autopsy(&tx.to).await;
            failure.causes.extend(autopsy.exit.filter(|_| failure.cause == Cause::Died));
            failure.log = autopsy.log;
        }
    }

    /// Adds what the processes say to what the probe says: the two together are often the reason.
    async fn unhealthy(&self, profile: &Profile, why: &Unhealthy, limit: Duration) -> Failure {
        let mut failure =
            self.failed(Cause::Unhealthy, format!("{profile} was not healthy within {}", took(limit)), why);
        let autopsy = self.deployer.processes.autopsy(profile).await;
        let seen = self.deployer.processes.inspect(profile).await;
        if let (Unhealthy::Refused(_), Ok(Occupant::Ours { listening, .. })) = (why, seen) {
            // says more than that nobody listens where the check asks
            failure.facts.listens = autopsy.listens.map(|at| where_else(profile.port(), listening, at));
            failure.causes = vec![deaf(profile.port(), listening, failure.facts.listens.as_ref())];
        }
        // only its children are left
        if let Some(exit) = autopsy.exit {
            failure.causes.push(format!("the process that was started {exit}"));
            failure.log = autopsy.log;
        }
        failure
    }
}

/// Of what a process listens on, what tells why nobody answers where the health check asks. `listening`: where the proxy dials it.
fn where_else(port: u16, listening: bool, mut at: Vec<SocketAddr>) -> Elsewhere {
    // on another address of the port it does not listen where the proxy dials it
    let on_port = listening || at.iter().any(|at| at.port() == port);
    at.retain(|at| !on_port || at.port() == port);
    Elsewhere { on_port, at }
}

/// The same in words; `None`: it cannot be seen.
fn deaf(port: u16, listening: bool, elsewhere: Option<&Elsewhere>) -> String {
    let on_port = listening || elsewhere.is_some_and(|it| it.on_port);
    let at = |it: &Elsewhere| it.at.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    match (on_port, elsewhere.map(at)) {
        (true, Some(at)) if !at.is_empty() => {
            format!("it listens on port {port}, but not on the address that the health check asks, only on {at}")
        }
        (true, _) => format!("it listens on port {port}, but not on the address that the health check asks"),
        (false, Some(at)) if at.is_empty() => format!("it runs, and does not listen on port {port}"),
        (false, Some(at)) => format!("it runs, and does not listen on port {port}, but on {at}"),
        (false, None) => format!("it runs, and does not answer on port {port}; where it listens cannot be seen"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_it_listens_instead_is_a_fact_and_not_to_see_it_is_none() {
        let at = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let fact = |listening, texts: &[&str]| where_else(8081, listening, at(texts));
        let said = |listening, texts: &[&str]| deaf(8081, listening, Some(&fact(listening, texts)));
        let elsewhere = ["127.0.0.1:9000", "[::1]:9001"];
        assert_eq!(fact(false, &elsewhere), Elsewhere { on_port: false, at: at(&elsewhere) });
        assert!(said(false, &elsewhere).ends_with("on port 8081, but on 127.0.0.1:9000 and [::1]:9001"));
        let address = ["127.0.0.1:9000", "[::1]:8081"];
        assert_eq!(fact(false, &address), Elsewhere { on_port: true, at: at(&["[::1]:8081"]) });
        assert!(said(false, &address).ends_with("the health check asks, only on [::1]:8081"));
        // it answers where the proxy dials it, and the health check asks another port
        assert_eq!(fact(true, &["127.0.0.1:8081"]), Elsewhere { on_port: true, at: at(&["127.0.0.1:8081"]) });
        assert_eq!(said(false, &[]), "it runs, and does not listen on port 8081");
        assert!(deaf(8081, false, None).ends_with("where it listens cannot be seen"));
        assert!(deaf(8081, true, None).starts_with("it listens on port 8081, but not on the address"));
    }
}
