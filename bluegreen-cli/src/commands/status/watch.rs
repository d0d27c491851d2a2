//! `status --watch`: on a terminal a picture that moves, elsewhere a line for each change.

use std::{
    io::{IsTerminal as _, stdout},
    time::Duration,
};

use super::{Exit, Format, Global, Halt, Session, Status};
use crate::{
    output,
    report::{is_dumb, stdout_paint},
};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);

/// Until somebody asks it to end. It never changes what is looked at, so it ends well.
pub(super) async fn run(session: &Session, global: &Global) -> Result<Exit, Halt> {
    if global.format == Format::Human && stdout().is_terminal() && !is_dumb() {
        return on_terminal(session, global).await;
    }
    let mut before = String::new();
    while !is_over(session) {
        let status = Status::look(session).await?;
        let now = match global.format {
            Format::Json => output::as_json(&status.document(None)),
            Format::Human => status.line(),
        };
        if now != before {
            match global.format {
                Format::Json => output::line(&now),
                Format::Human => output::line(format!("{}  {now}", jiff::Zoned::now().strftime("%H:%M:%S"))),
            }
            before = now;
        }
        pause(session).await;
    }
    Ok(Exit::Done)
}

/// On the other screen, so that what stood here before is here again at the end, with the last status below it.
async fn on_terminal(session: &Session, global: &Global) -> Result<Exit, Halt> {
    let mut shown = String::new();
    let screen = Screen::enter();
    while !is_over(session) {
        shown = Status::look(session).await?.human(global);
        let hint = stdout_paint(global.color).dim(format!(
            "\n{}, every {} s, Ctrl-C ends it",
            jiff::Zoned::now().strftime("%H:%M:%S"),
            EVERY.as_secs()
        ));
        // each line wipes its rest and the last one what is below: nothing flickers, whatever the size has become
        let text = format!("{shown}{hint}").replace('\n', "\x1b[K\r\n");
        output::raw(format!("\x1b[H{text}\x1b[K\x1b[J"));
        pause(session).await;
    }
    drop(screen);
    output::raw(shown);
    Ok(Exit::Done)
}

/// Somebody asked for the end, or nobody can read it any more.
fn is_over(session: &Session) -> bool {
    session.signals.cancel.is_cancelled() || output::is_closed()
}

async fn pause(session: &Session) {
    tokio::select! {
        () = tokio::time::sleep(EVERY) => {}
        () = session.signals.cancel.cancelled() => {}
    }
}

/// The other screen of the terminal, for as long as this lives. The cursor is not hidden.
struct Screen;

impl Screen {
    fn enter() -> Self {
        output::raw("\x1b[?1049h");
        Self
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        output::raw("\x1b[?1049l");
    }
}
