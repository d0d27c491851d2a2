//! `setup`: the one-time nginx part.

mod include;

use std::{
    ffi::OsString,
    io::{self, IsTerminal as _, Write as _, stdin, stdout},
    net::Ipv4Addr,
    path::Path,
    time::Duration,
};

use bluegreen_core::{FileStore, Finding, HealthProbe as _, Lease, Profile, StateStore as _, Step, Transaction};
use bluegreen_linux::{
    ports::is_answered,
    program::{Program, Said},
    users::User,
};
use bluegreen_nginx::{
    Commands, MasterError, Snippet,
    setup::{Difference, Plan, Repair, SETUP, Setup, SetupError},
};

use serde::Deserialize;

use super::{Exit, Format, Halt};
use crate::{
    advice::{for_master, for_repair, for_setup},
    args::{self, Global, Part},
    config::{Config, ProxyMode},
    doctor,
    documents::{self, SCHEMA},
    home, output, owner,
    report::{self, Paint},
    session::holder,
    wiring,
};

pub(super) async fn run(global: &Global, config: &Config, args: &args::Setup) -> Result<Exit, Halt> {
    if let Some(part) = args.what.print {
        let snippet = Snippet::new(config.app.clone(), wiring::route_dir(config)?);
        output::raw(match part {
            Part::Http => snippet.http(),
            Part::Server => snippet.server(true),
            Part::Location => snippet.location(),
        });
        return Ok(Exit::Done);
    }
    if global.format == Format::Json && !args.what.check {
        let what = "`setup` shows changes to a person: only --check has --format json";
        return Err(Halt::new(Exit::Usage, what).next("bluegreen setup --check --format json"));
    }
    if config.nginx.mode == ProxyMode::Reload {
        return reload_mode(global, config, args).await;
    }
    let (setup, owner) = setup(config, args).await?;
    if args.what.check {
        return Ok(tell(global, config, setup.check().await, &setup.commands, "nginx is set up"));
    }
    let plan = if args.what.remove {
        setup.plan_removal().await.map_err(|error| refused(&setup, &error))?
    } else {
        if let Some(finding) = doctor::no_door(config, &doctor::without_state(config).await).await {
            return Err(Halt::new(Exit::Refused, finding.what).next(finding.fix.unwrap_or_default()));
        }
        home::make(config, &owner)?;
        let last = last(config, &owner).map_err(|error| error.to_string());
        planned(config, &Setup { last, ..setup.clone() }).await?
    };
    let _lease = locked(config, &owner)?;
    apply(global, &setup, &plan, args.what.remove).await
}

/// The lock is the owner's, and its note too.
fn locked(config: &Config, owner: &User) -> Result<Lease, Halt> {
    let who = holder("setup");
    let lock = || FileStore::open(&config.state_dir).and_then(|store| store.lock(&who));
    Ok(owner.act(lock).map_err(|error| Halt::error(Exit::Refused, &error))??)
}

/// In reload mode the article's include file is all there is: only the directory for the state is ours to make.
async fn reload_mode(global: &Global, config: &Config, args: &args::Setup) -> Result<Exit, Halt> {
    if args.what.check {
        let (differences, found) = include::check(config, args).await;
        // none of its fixes calls an nginx
        return Ok(tell(global, config, differences, &Commands::new(["nginx"]), &found));
    }
    if args.what.apply {
        home::make(config, &deploy_user(config)?)?;
        output::line(format!("{} is there; reload mode needs nothing else of nginx", config.state_dir.display()));
    } else {
        output::line("reload mode uses the include file that nginx has already; there is nothing to remove");
    }
    Ok(Exit::Done)
}

async fn setup(config: &Config, args: &args::Setup) -> Result<(Setup, User), Halt> {
    let owner = deploy_user(config)?;
    // another nginx, as the system's, would be looked at and written to in its place
    let commands =
        commands(config, args).map_err(|error| Halt::error(Exit::Refused, &error).next(for_master(&error)))?;
    let setup = wiring::setup(config, commands, Some(owner.clone())).await?;
    let setup = Setup { site: args.site.clone(), ..setup };
    let nginx_dir = args.nginx_dir.clone().unwrap_or_else(|| setup.nginx_dir.clone());
    Ok((Setup { nginx_dir, ..setup }, owner))
}

/// How nginx is called: as it was started, unless somebody says otherwise.
fn commands(config: &Config, args: &args::Setup) -> Result<Commands, MasterError> {
    if args.nginx.is_empty() { wiring::commands(config) } else { Ok(Commands::new(args.nginx.clone())) }
}

/// Who will deploy: as configured, else who runs this, also through sudo.
fn deploy_user(config: &Config) -> Result<User, Halt> {
    owner::who_deploys(config.user.as_deref())
        .map_err(|error| Halt::new(Exit::Usage, error.to_string()).next(error.fix()))
}

/// For a look of our own; an app that is asked for its health may take its time.
const LOOK: Duration = Duration::from_secs(60);

/// What there is to do. Where a third port serves, it matters whether a release waits to take over, and that must be known.
async fn planned(config: &Config, setup: &Setup) -> Result<Plan, Halt> {
    let prepared = prepared(config).await;
    let plan = setup.plan(prepared.as_ref().ok().and_then(Option::as_ref)).await;
    if let (Err(why), Err(SetupError::NeedsPrepared { .. })) = (prepared, &plan) {
        let what = format!("whether a prepared release waits for the traffic is not known: {why}");
        return Err(Halt::new(Exit::Refused, what).next("bluegreen status"));
    }
    plan.map_err(|error| refused(setup, &error))
}

/// Who had the traffic when it was last seen, which only matters where nginx does not tell who has it.
fn last(config: &Config, owner: &User) -> io::Result<Option<Profile>> {
    let load = || FileStore::open(&config.state_dir).and_then(|store| store.load());
    let state = owner.act(load)?.map_err(io::Error::other)?;
    let had_it = |profile: &&Profile| state.lost_traffic.get(profile.name()).is_some_and(Option::is_none);
    Ok(config.profiles.both().into_iter().find(had_it).cloned())
}

/// A profile on which a release was prepared and is healthy: a machine on a third port begins there.
async fn prepared(config: &Config) -> Result<Option<Profile>, String> {
    // the state belongs to the deploy user, as whom `status` goes on
    let words = ["/proc/self/exe", "--config"].map(OsString::from).into_iter().chain([config.file().into()]);
    let status = Program::new(words.chain(["--format", "json", "status"].map(OsString::from)));
    let said = status.run(LOOK).await.map_err(|error| error.to_string())?;
    let Some(tx) = transaction(&said)?.filter(|tx| tx.undo.is_none() && tx.step == Step::Health && tx.proven.is_some())
    else {
        return Ok(None);
    };
    let healthy = wiring::probe(config).map_err(|error| error.to_string())?.check(&tx.to).await.is_ok();
    Ok(healthy.then_some(tx.to))
}

/// The open transaction, as `status` says it.
fn transaction(said: &Said) -> Result<Option<Transaction>, String> {
    #[derive(Deserialize)]
    struct Status {
        // a document without it is none of `status`
        #[serde(deserialize_with = "Option::deserialize")]
        transaction: Option<Transaction>,
    }
    let told = |error| {
        let why = report::sanitize(said.err.trim());
        if why.is_empty() { format!("`bluegreen status` gives no document: {error}") } else { why }
    };
    serde_json::from_str(&said.out).map(|status: Status| status.transaction).map_err(told)
}

/// What differs, or `fine`; with the exit code of it.
fn tell(global: &Global, config: &Config, differences: Vec<Difference>, commands: &Commands, fine: &str) -> Exit {
    let exit = if differences.is_empty() { Exit::Done } else { Exit::Refused };
    if global.format == Format::Json {
        let told = |it: Difference| it.fixed(|repair| for_repair(&repair, commands));
        let mut findings: Vec<Finding> = differences.into_iter().map(told).collect();
        if findings.is_empty() {
            findings.push(Finding::good(SETUP, fine));
        }
        output::json(&documents::Check { schema: SCHEMA, app: &config.app, findings: &findings });
    } else if differences.is_empty() {
        output::line(format!("✓ {}", report::sanitize(fine)));
    } else {
        listed(&differences, commands, report::table_width()).iter().for_each(output::raw);
    }
    exit
}

/// A line for each difference; a fix of several is said once, behind the last.
fn listed(differences: &[Difference], commands: &Commands, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let fix = |it: &Difference| it.fix.as_ref().map_or_else(String::new, |repair| for_repair(repair, commands));
    for (n, difference) in differences.iter().enumerate() {
        let Difference { what, place, .. } = difference;
        let place = place.as_ref().map(|at| format!("{at}: ")).unwrap_or_default();
        lines.push(report::marked("✗", &format!("{place}{what}"), width));
        if let Some(Repair::Rewrite { path, before, after }) = &difference.fix {
            lines.extend(diff(path, before, after, Paint(false)).lines().map(|line| format!("    {line}\n")));
        }
        let fix_of_it = fix(difference);
        if differences.get(n + 1).map(fix).as_ref() != Some(&fix_of_it) {
            lines.push(report::indented("", 0, &report::as_typed(&fix_of_it), width));
        }
    }
    lines
}

async fn apply(global: &Global, setup: &Setup, plan: &Plan, removal: bool) -> Result<Exit, Halt> {
    let paint = report::stdout_paint(global.color);
    for edit in plan.edits.iter().filter(|edit| edit.foreign) {
        output::raw(diff(&edit.path, edit.before.as_deref().unwrap_or(""), edit.after.as_deref().unwrap_or(""), paint));
    }
    let foreign = plan.edits.iter().any(|edit| edit.foreign);
    let yes = global.yes || (foreign && ask());
    let applied = setup.apply(plan, yes).await.map_err(|error| refused(setup, &error))?;
    if let Some(start) = &plan.start {
        output::line(format!("the route is {start} from now on"));
    }
    for edit in &plan.edits {
        let verb = if edit.after.is_some() { "wrote" } else { "removed" };
        output::line(format!("{verb} {}", edit.path.display()));
    }
    applied.backups.iter().for_each(|copy| output::line(format!("as it was: {}", copy.display())));
    for path in &plan.unused {
        output::line(format!("no longer used, and left as it is: {}", path.display()));
    }
    let leads = if removal { String::new() } else { leads_to(setup) };
    output::line(match (removal, applied.reloaded) {
        (true, _) if plan.edits.is_empty() => {
            "nothing of bluegreen's is in the configuration of this nginx; nothing was changed".to_owned()
        }
        (true, _) if !foreign => "✓ bluegreen's own files are removed; no site of this nginx used them".to_owned(),
        (true, _) => "✓ nginx sends the traffic straight to the active port again".to_owned(),
        (false, true) => format!("✓ nginx was reloaded once and follows the route{leads}"),
        (false, false) => format!("✓ nginx follows the route already{leads}"),
    });
    if setup.master.is_older() {
        output::line(format!("! {}", doctor::OLDER));
    }
    if !removal {
        let next = paint.strong(report::as_typed("bluegreen check"));
        output::line(format!("\n  {}  {next}", paint.dim("next")));
    }
    Ok(Exit::Done)
}

/// Where the route leads now, as `: real2 (port 8082)`.
fn leads_to(setup: &Setup) -> String {
    let active = match setup.route.read() {
        Ok(live) => live.unwrap_or_else(|| setup.route.fallback()).active,
        Err(error) => return format!("; where that leads cannot be read: {error}"),
    };
    let who = match is_answered((Ipv4Addr::LOCALHOST, active.port()).into()) {
        Ok(true) => String::new(),
        Ok(false) => ", where nothing runs yet".to_owned(),
        Err(error) => format!("; who listens there cannot be seen: {error}"),
    };
    format!(": {active} (port {}){who}", active.port())
}

/// Only on a terminal; elsewhere it takes `--yes`.
fn ask() -> bool {
    if !stdin().is_terminal() || !stdout().is_terminal() {
        return false;
    }
    output::raw("Change these files? A copy of each is kept. [y/N] ");
    let _ = stdout().flush();
    let mut answer = String::new();
    stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

fn diff(path: &Path, before: &str, after: &str, paint: Paint) -> String {
    let text = similar::TextDiff::from_lines(before, after);
    let unified = text.unified_diff().context_radius(2).header(&path.display().to_string(), "afterwards").to_string();
    let line = |line: &str| match line.as_bytes().first() {
        Some(b'+') => paint.good(line),
        Some(b'-') => paint.bad(line),
        _ => line.to_owned(),
    };
    unified.lines().map(|text| line(text) + "\n").collect()
}

fn refused(setup: &Setup, error: &SetupError) -> Halt {
    Halt::error(Exit::Refused, error).next(for_setup(error, &setup.commands))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_failed_is_no_status_without_a_transaction() {
        let said = |out: &str, err: &str| {
            let status = std::process::ExitStatus::default();
            transaction(&Said { status, out: out.to_owned(), err: err.to_owned() })
        };
        assert_eq!(said(r#"{"schema": 1, "transaction": null}"#, ""), Ok(None));
        assert_eq!(
            said("", "error: state.json: Permission denied\n").unwrap_err(),
            "error: state.json: Permission denied"
        );
        for cut in ["", r#"{"schema": 1}"#, r#"{"transaction": {"number": "#, r#"{"transaction": {"step": "later"}}"#] {
            assert!(said(cut, "").unwrap_err().starts_with("`bluegreen status` gives no document: "), "{cut}");
        }
    }

    #[test]
    fn a_fix_of_several_differences_is_said_once() {
        let rewrite = Repair::Rewrite { path: "/etc/x".into(), before: "old\n".into(), after: "new\n".into() };
        let differ = |what, repair| Difference::fatal(SETUP, what, repair);
        let differences = [
            differ("a", Repair::Apply).at("/etc/x:3"),
            differ("b", rewrite).at("/etc/x:3"),
            differ("c", Repair::Do("do y".into())),
        ];
        let lines = listed(&differences, &Commands::new(["nginx"]), 0);
        let diff = ["    --- /etc/x", "    +++ afterwards", "    @@ -1 +1 @@", "    -old", "    +new"];
        let (head, tail) =
            (["✗ /etc/x:3: a", "✗ /etc/x:3: b"], ["    sudo bluegreen setup --apply", "✗ c", "    do y"]);
        assert_eq!(lines.concat().lines().collect::<Vec<_>>(), [&head[..], &diff, &tail].concat());
    }
}
