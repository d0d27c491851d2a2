//! `metrics`, and the file that is kept for node_exporter.

use std::time::Duration;

use bluegreen_linux::files::FileError;

use super::{Exit, Halt, Session};
use crate::{metrics, output};

/// So long a command may take to write them.
const LATE: Duration = Duration::from_secs(15);

/// `metrics`
pub(super) async fn run(session: &Session, write: bool) -> Result<Exit, Halt> {
    let text = metrics::text(session, None).await.map_err(|error| cannot("read", &error))?;
    if !write {
        output::raw(text);
        return Ok(Exit::Done);
    }
    let Some(file) = &session.config.metrics.textfile else {
        let halt = Halt::new(Exit::Usage, "the configuration does not say where: metrics.textfile is not set");
        return Err(halt.next("add `textfile = \"/var/lib/node_exporter/bluegreen.prom\"` to [metrics]"));
    };
    metrics::write(file, &text).map(|()| Exit::Done).map_err(|error| cannot("write", &error))
}

fn cannot(action: &str, error: &FileError) -> Halt {
    let what = format!("cannot {action} the metrics: {error}");
    match error.reason() {
        Some(_) => Halt::new(Exit::Refused, what).next("correct metrics.textfile, or put that away"),
        None => Halt::new(Exit::Internal, what),
    }
}

/// After a command that may have changed something. It has ended well or not: what fails here is a warning.
pub(super) async fn keep(session: &Session) {
    let (Some(file), Some(last)) = (&session.config.metrics.textfile, session.watcher.last()) else { return };
    let text = metrics::text(session, Some(&last)).await;
    if let Err(error) = text.and_then(|text| metrics::write(file, &text)) {
        output::error(format!("warning: cannot write the metrics: {error}\n"));
    }
}

/// Ends a command that has ended otherwise with `exit`, when its file is on a disk that does not answer.
pub(super) async fn late(exit: Exit) {
    tokio::time::sleep(LATE).await;
    output::error("warning: the metrics were not written: their disk does not answer\n");
    std::process::exit(output::ended(exit).code().into())
}
