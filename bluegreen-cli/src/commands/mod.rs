//! The commands, one file for each family.

mod adopt;
mod check;
mod demo;
mod deploy;
mod generate;
mod history;
mod hook;
mod init;
mod logs;
mod metrics;
mod plan;
mod preflight;
mod profile;
mod releases;
mod setup;
mod status;

pub(crate) use self::status::Condition;

use std::{
    io::{IsTerminal as _, stderr},
    time::Duration,
};

use bluegreen_core::{Command as Engine, Step};
use bluegreen_lab::app as lab;
use bluegreen_linux::files::is_missing;

use crate::{
    app::replaced,
    args::{Args, Command, Deploy, Global, Release, Run},
    documents,
    exit::Exit,
    halt::Halt,
    output, owner,
    report::{Format, Paint, Trouble},
    session::{Session, load, load_as_owner, tell},
    signals::{self, Signals},
    threads::block_on,
    trust::Purpose,
};

/// Does what was typed, or says what is wrong with it.
pub fn run(typed: Result<Args, clap::Error>) -> Exit {
    owner::keep_own_rights();
    output::heed_stdout();
    let heeded = signals::unblock().map_err(Into::into).and_then(|()| output::heed_file_size());
    let exit = match (heeded, typed) {
        (Err(error), _) => tell(&Global::default(), None, &Halt::error(Exit::Internal, &error)),
        (Ok(()), Ok(args)) => does(args),
        (Ok(()), Err(said)) => output::clap(&said),
    };
    output::ended(exit)
}

fn does(args: Args) -> Exit {
    let Args { global, command } = args;
    if let Err(halt) = owner::not_setuid() {
        return tell(&global, None, &halt);
    }
    match without_session(&global, &command) {
        Some(result) => result.unwrap_or_else(|halt| tell(&global, None, &halt)),
        None => with_session(&global, command),
    }
}

/// The commands that need no app, or nothing of it but its configuration.
fn without_session(global: &Global, command: &Command) -> Option<Result<Exit, Halt>> {
    Some(match command {
        Command::Demo => block_on(demo::run(global)),
        Command::App(options) => block_on(serve(options.clone())),
        Command::Completions { shell } => Ok(generate::completions(*shell)),
        Command::Man => generate::man(),
        Command::Config => load(global, Purpose::Rest).map(|config| {
            match global.format {
                Format::Human => output::raw(config.to_toml()),
                Format::Json => output::json(&documents::Config::of(&config)),
            }
            Exit::Done
        }),
        Command::Init(init) => block_on(Signals::until_asked(init::run(global, init))),
        Command::Check => {
            // who may not read the configuration is told so on the way with a session
            let config = load(global, Purpose::Rest).ok().filter(|config| is_missing(&config.state_dir))?;
            if let Err(halt) = owner::no_more_than_its_owner(&config) {
                return Some(Err(halt));
            }
            block_on(Signals::until_asked(check::before_setup(&config, global)))
        }
        Command::Setup(setup) => load(global, Purpose::SetUp)
            .and_then(|config| block_on(Signals::until_asked(setup::run(global, &config, setup)))),
        _ => return None,
    })
}

fn with_session(global: &Global, command: Command) -> Exit {
    // what changes nothing makes no directory either
    let makes = !matches!(command, Command::Plan(_));
    let purpose = purpose(&command);
    let config = match load_as_owner(global, makes, purpose) {
        Ok(config) => config,
        Err(halt) => return tell(global, None, &halt),
    };
    if let Some(mistake) = config.objections().filter(|_| deploys(&command)) {
        return tell(global, None, &Halt::mistake(&mistake, global.color.enabled(stderr().is_terminal())));
    }
    let work = async {
        let session = match Session::begin(global, config, purpose, deadline(&command)) {
            Ok(session) if moves(&command) => session.sparing().await,
            Ok(session) => session,
            Err(halt) => return Ok(tell(global, None, &halt)),
        };
        let (changes, options) = (changes(&command), options(&command));
        let looks = matches!(command, Command::Check | Command::Plan(_));
        let work = Box::pin(dispatch(&session, global, command));
        let result = if looks { session.signals.or_asked(work).await } else { work.await };
        let tell = |halt: Halt| tell(global, Some(&session.events), &halt.with_options(options));
        let exit = result.unwrap_or_else(tell);
        // the last event has been told by then
        if let Some(lost) = session.history.lost() {
            output::error(format!("warning: {lost}\n"));
        }
        if changes {
            let late = tokio::spawn(metrics::late(exit));
            metrics::keep(&session).await;
            late.abort();
        }
        Ok(exit)
    };
    block_on(work).unwrap_or_else(|halt| tell(global, None, &halt))
}

async fn dispatch(session: &Session, global: &Global, command: Command) -> Result<Exit, Halt> {
    match command {
        Command::Plan(args) => plan::run(session, global, &args).await,
        Command::Deploy(args) => deploy::deploy(session, &args).await,
        Command::Promote { release, drain, run } => {
            Box::pin(deploy::promote(session, release.as_deref(), &run, drain)).await
        }
        Command::Abort { release, run } => deploy::abort(session, release.as_deref(), &run).await,
        Command::Stop(release) => deploy::until(session, release, Step::Stop, "stop").await,
        Command::Start(release) => deploy::until(session, release, Step::Start, "start").await,
        Command::Prepare { release, if_changed } => deploy::prepare(session, release, if_changed).await,
        Command::Health(release) => deploy::until(session, release, Step::Health, "health").await,
        Command::Switch(release) => deploy::until(session, release, Step::Retire, "switch").await,
        Command::Rollback { release, if_release, run } => {
            deploy::rollback(session, release.as_deref(), if_release.as_deref(), &run).await
        }
        Command::Recover => engine(session, Engine::Recover, "recovered").await,
        Command::Up => engine(session, Engine::Up, "started").await,
        Command::Adopt { profile, pid } => adopt::run(session, profile.as_deref(), pid).await,
        Command::Hook => Box::pin(hook::run(session)).await,
        Command::Profile { port, active } => profile::run(session, port, active).await,
        Command::Check => check::run(session, global).await,
        Command::Status { watch } => status::run(session, global, watch).await,
        Command::History { last, action } => history::run(session, global, last, action.as_ref()),
        Command::Logs { profile, follow, lines } => logs::run(session, profile.as_deref(), follow, lines).await,
        Command::Metrics { write } => metrics::run(session, write).await,
        Command::Releases { action } => releases::run(session, global, action).await,
        other => unreachable!("{other:?} needs no session"),
    }
}

/// What its configuration is read for.
fn purpose(command: &Command) -> Purpose {
    match command {
        Command::Rollback { .. } | Command::Recover | Command::Up => Purpose::BringBack,
        Command::Status { .. }
        | Command::Logs { .. }
        | Command::History { .. }
        | Command::Releases { action: None } => Purpose::Look,
        _ => Purpose::Rest,
    }
}

/// When a command that has not ended shall.
fn deadline(command: &Command) -> Option<Duration> {
    match command {
        Command::Deploy(Deploy { release: Release { run, .. }, .. })
        | Command::Prepare { release: Release { run, .. }, .. }
        | Command::Stop(Release { run, .. })
        | Command::Start(Release { run, .. })
        | Command::Health(Release { run, .. })
        | Command::Switch(Release { run, .. })
        | Command::Promote { run, .. }
        | Command::Abort { run, .. }
        | Command::Rollback { run, .. } => run.deadline,
        _ => None,
    }
}

/// Whether a command brings a release where another one is, or says how that would go.
fn deploys(command: &Command) -> bool {
    matches!(
        command,
        Command::Plan(_)
            | Command::Deploy(_)
            | Command::Prepare { .. }
            | Command::Promote { .. }
            | Command::Stop(_)
            | Command::Start(_)
            | Command::Health(_)
            | Command::Switch(_)
            | Command::Hook
    )
}

/// Whether a command moves the traffic, and asks the front door about it.
fn moves(command: &Command) -> bool {
    matches!(
        command,
        Command::Deploy(_) | Command::Promote { .. } | Command::Switch(_) | Command::Rollback { .. } | Command::Hook
    )
}

/// Whether a command may change what runs, or where the traffic goes.
fn changes(command: &Command) -> bool {
    !matches!(
        command,
        Command::Profile { .. }
            | Command::Check
            | Command::Status { .. }
            | Command::Plan(_)
            | Command::History { .. }
            | Command::Logs { .. }
            | Command::Metrics { .. }
            | Command::Releases { .. }
    )
}

/// Which of the options it has that may help when somebody else is at work, or a release waits.
fn options(command: &Command) -> &'static [&'static str] {
    match command {
        Command::Deploy(_)
        | Command::Prepare { .. }
        | Command::Stop(_)
        | Command::Start(_)
        | Command::Health(_)
        | Command::Switch(_) => &["--wait", "--replace"],
        Command::Promote { .. } | Command::Abort { .. } | Command::Rollback { .. } => &["--wait"],
        Command::Plan(_) => &["--replace"],
        _ => &[],
    }
}

/// A command that is nothing but a run of the engine.
async fn engine(session: &Session, command: Engine, done: &'static str) -> Result<Exit, Halt> {
    let before = session.sight().await;
    let report = session.run(&command, &Run::default()).await?;
    let (state, seen) = (session.state().await?, session.sight().await);
    if let Some(newer) = replaced(&state, &seen) {
        session.events.warn(format!("an older release serves: {}", session.older(newer)));
    }
    let ran = |process| session.config.profiles.both().into_iter().any(|profile| before.ours(profile) == Some(process));
    for process in session.config.profiles.both().into_iter().filter_map(|profile| seen.ours(profile)) {
        if !ran(process) {
            session.verify(&process.release);
        }
    }
    Ok(session.finish(done, &report).await)
}

async fn serve(options: lab::Options) -> Result<Exit, Halt> {
    // an app like any other: it knows nothing of traffic
    Ok(lab::serve(options).await.map_or_else(
        |error| {
            output::error(Trouble::from_error(&error).render(Paint(false), 0));
            Exit::Internal
        },
        |()| Exit::Done,
    ))
}
