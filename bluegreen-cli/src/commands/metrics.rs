//! `metrics`, and the file that is kept for node_exporter.

use super::{Exit, Halt, Session};
use crate::{metrics, output};

/// `metrics`
pub(super) async fn run(session: &Session, write: bool) -> Result<Exit, Halt> {
    let text = metrics::text(session, None).await;
    if !write {
        output::raw(text);
        return Ok(Exit::Done);
    }
    let Some(file) = &session.config.metrics.textfile else {
        let halt = Halt::new(Exit::Usage, "the configuration does not say where: metrics.textfile is not set");
        return Err(halt.next("add `textfile = \"/var/lib/node_exporter/bluegreen.prom\"` to [metrics]"));
    };
    let cannot = |error: std::io::Error| Halt::new(Exit::Internal, format!("cannot write {}: {error}", file.display()));
    metrics::write(file, &text).map(|()| Exit::Done).map_err(cannot)
}

/// After a command that may have changed something. It has ended well or not: what fails here is a warning.
pub(super) async fn keep(session: &Session) {
    let (Some(file), Some(last)) = (&session.config.metrics.textfile, session.watcher.last()) else { return };
    let text = metrics::text(session, Some(&last)).await;
    if let Err(error) = metrics::write(file, &text) {
        output::error(format!("warning: cannot write the metrics to {}: {error}\n", file.display()));
    }
}
