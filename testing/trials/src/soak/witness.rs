//! What nginx knows of a request that was lost.

use std::{
    fs, io,
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::ensure;
use bluegreen_lab::Sample;
use bluegreen_rig::Stage;

/// One line for each answer that is a server's error, or that the client did not wait for. The number of the connection is
/// the one of the error log.
const FORMAT: &str = r"log_format lost '$msec *$connection $request_method $status, upstream $upstream_addr: status $upstream_status, connected in $upstream_connect_time s, over after $upstream_response_time s';
    map $status $lost { default 0; ~^(499|5) 1; }
    access_log ";

/// nginx writes down when it has ended a request; the clocks of a client and of nginx are that near.
const NEAR: Duration = Duration::from_millis(5);

/// The two logs of nginx.
#[derive(Debug)]
pub(super) struct Witness {
    answers: PathBuf,
    errors: PathBuf,
}

impl Witness {
    /// From now on nginx writes down what it could not answer.
    pub(super) fn at(stage: &Stage) -> anyhow::Result<Self> {
        let prefix = stage.nginx.prefix();
        let (file, answers) = (prefix.join("nginx.conf"), prefix.join("lost.log"));
        let (before, off) = (fs::read_to_string(&file)?, "access_log off;");
        let after = before.replacen(off, &format!("{FORMAT}{} lost if=$lost;", answers.display()), 1);
        ensure!(after != before, "{} has no `{off}`", file.display());
        fs::write(file, after)?;
        stage.nginx.reload()?;
        Ok(Self { answers, errors: prefix.join("error.log") })
    }

    /// Its lines about a lost request, each with that of the error log on the same connection.
    pub(super) fn says(&self, lost: &Sample) -> io::Result<Vec<String>> {
        let (answers, errors) = (fs::read_to_string(&self.answers)?, fs::read_to_string(&self.errors)?);
        let (sent, done) = (since_epoch(lost.sent).saturating_sub(NEAR), since_epoch(lost.done) + NEAR);
        let mut said = Vec::new();
        for line in answers.lines() {
            let Some((time, about)) = line.split_once(' ') else { continue };
            if time.parse().is_ok_and(|time| (sent..=done).contains(&Duration::from_secs_f64(time))) {
                let connection = format!(" {} ", about.split(' ').next().unwrap_or_default());
                said.push(line.to_owned());
                // a client that has lost a request goes on with another connection: this one's last line is it
                said.extend(errors.lines().rev().find(|error| error.contains(&connection)).map(ToOwned::to_owned));
            }
        }
        Ok(said)
    }
}

/// nginx writes the time of day.
fn since_epoch(moment: Instant) -> Duration {
    SystemTime::now()
        .checked_sub(moment.elapsed())
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default()
}
