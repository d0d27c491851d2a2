//! `setup`: the one-time nginx part.

use std::{
    fs,
    io::{IsTerminal as _, Write as _, stdin, stdout},
    os::unix::fs::{DirBuilderExt as _, chown},
    path::Path,
    process::Stdio,
};

use bluegreen_core::{
    FileStore, HealthProbe as _, Profile, ProfileResolver as _, ResolveError, Route, Step, Transaction,
};
use bluegreen_nginx::{
    Commands, Snippet,
    reload::{IncludeFile, IncludeResolver},
    setup::{Difference, Plan, Setup, SetupError},
};

use tokio::process::Command;

use super::{Exit, Halt};
use crate::{
    args::{self, Global, Part},
    config::{Config, ProxyMode},
    output,
    owner::User,
    report, wiring,
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
    if config.nginx.mode == ProxyMode::Reload {
        return reload_mode(config, args).await;
    }
    let (setup, owner) = setup(config, args)?;
    if args.what.check {
        return Ok(tell(&setup.check().await, "nginx is set up"));
    }
    let plan = if args.what.remove {
        setup.plan_removal().await.map_err(refused)?
    } else {
        make_state_dir(config, &owner)?;
        setup.plan(prepared(config).await.as_ref()).await.map_err(refused)?
    };
    let _lease = FileStore::hold(&config.state_dir)?;
    apply(global, &setup, &plan, args.what.remove).await
}

/// In reload mode the article's include file is all there is: only the directory for the state is ours to make.
async fn reload_mode(config: &Config, args: &args::Setup) -> Result<Exit, Halt> {
    if args.what.check {
        return Ok(check_include(config, args).await);
    }
    if args.what.apply {
        make_state_dir(config, &deploy_user(config)?)?;
        output::line(format!("{} is there; reload mode needs nothing else of nginx", config.state_dir.display()));
    } else {
        output::line("reload mode uses the include file that nginx has already; there is nothing to remove");
    }
    Ok(Exit::Done)
}

async fn check_include(config: &Config, args: &args::Setup) -> Exit {
    let path = &config.nginx.service_url_file;
    let resolver = IncludeResolver::new(IncludeFile::new(path), &config.profiles, wiring::master(config));
    let reads = Commands::new(args.nginx.clone()).reads(path).await;
    match judge(path, resolver.resolve().await, reads) {
        Ok(found) => tell(&[], &found),
        Err(differences) => tell(&differences, ""),
    }
}

/// What the include file says now, or what is wrong with it: `route` is how nginx's workers have read it, `reads` whether its
/// configuration includes it.
fn judge(
    path: &Path,
    route: Result<Route, ResolveError>,
    reads: Result<bool, String>,
) -> Result<String, Vec<Difference>> {
    let path = path.display();
    let mut wrong = Vec::new();
    let mut differs = |what, fix: &str| wrong.push(Difference { what, fix: fix.to_owned() });
    match reads {
        Ok(true) => {}
        // that it is not there is said below
        Ok(false) if matches!(route, Err(ResolveError::NotSetUp(_))) => {}
        Ok(false) => differs(
            format!("nginx does not read {path}"),
            "write `include` with this file and `proxy_pass $service_url;` into the app's location, or correct \
             proxy.nginx.service_url_file",
        ),
        Err(said) => differs(said, "run this as root, or repair nginx's configuration first"),
    }
    let found = match route {
        Ok(route) => format!("nginx reads {path}, which leads to {} on port {}", route.active, route.active.port()),
        Err(ResolveError::Unmanaged(leads)) => {
            format!("nginx reads it: {leads}, which is neither profile; the first deploy takes the traffic over")
        }
        Err(error @ ResolveError::NotSetUp(_)) => {
            differs(
                error.to_string(),
                "write `set $service_url http://127.0.0.1:PORT;` into it, include it in the app's location and reload \
                 nginx; or correct proxy.nginx.service_url_file",
            );
            String::new()
        }
        Err(error) => {
            differs(error.to_string(), "put that right, then run this again");
            String::new()
        }
    };
    if wrong.is_empty() { Ok(found) } else { Err(wrong) }
}

fn setup(config: &Config, args: &args::Setup) -> Result<(Setup, User), Halt> {
    let owner = deploy_user(config)?;
    let setup = Setup {
        app: config.app.clone(),
        route: wiring::route_dir(config)?,
        proof: wiring::proof(config)?,
        master: wiring::master(config),
        commands: Commands::new(args.nginx.clone()),
        nginx_dir: args.nginx_dir.clone(),
        site: args.site.clone(),
        owner: Some((owner.uid, owner.gid)),
        allow_temporary: config.allow_temporary,
    };
    Ok((setup, owner))
}

/// Who will deploy: as configured, else who runs this, also through sudo.
fn deploy_user(config: &Config) -> Result<User, Halt> {
    if let Some(name) = &config.user {
        return User::named(name).ok_or_else(|| {
            Halt::new(Exit::Usage, format!("there is no user {name}")).next(format!("sudo useradd --system {name}"))
        });
    }
    let sudo = std::env::var("SUDO_USER").ok().and_then(|name| User::named(&name));
    Ok(sudo.filter(|_| rustix::process::geteuid().is_root()).unwrap_or_else(User::current))
}

/// The home of the state: of the deploy user, and searchable, because nginx looks into the route below it.
fn make_state_dir(config: &Config, owner: &User) -> Result<(), Halt> {
    let dir = &config.state_dir;
    let failed = |error: std::io::Error| {
        Halt::new(Exit::Refused, format!("cannot make {}: {error}", dir.display())).next("sudo bluegreen setup --apply")
    };
    if !dir.exists() {
        if let Some(parent) = dir.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o755).create(parent).map_err(failed)?;
        }
        fs::DirBuilder::new().mode(0o755).create(dir).map_err(failed)?;
    }
    if rustix::process::geteuid().is_root() {
        chown(dir, Some(owner.uid), Some(owner.gid)).map_err(failed)?;
    }
    Ok(())
}

/// A profile on which a release was prepared and is healthy: a machine on a third port begins there.
async fn prepared(config: &Config) -> Option<Profile> {
    // the state belongs to the deploy user, as whom `status` goes on
    let mut status = Command::new("/proc/self/exe");
    status.arg("--config").arg(config.file()).args(["--format", "json", "status"]).stdin(Stdio::null());
    let seen: serde_json::Value = serde_json::from_slice(&status.output().await.ok()?.stdout).ok()?;
    let tx: Transaction = serde_json::from_value(seen.get("transaction")?.clone()).ok()?;
    let rests = tx.undo.is_none() && tx.step == Step::Health && tx.proven.is_some();
    let healthy = wiring::probe(config).ok()?.check(&tx.to).await.is_ok();
    (rests && healthy).then_some(tx.to)
}

/// What differs, or `fine`.
fn tell(differences: &[Difference], fine: &str) -> Exit {
    for difference in differences {
        output::line(format!("✗ {}\n    {}", report::sanitize(&difference.what), report::sanitize(&difference.fix)));
    }
    if differences.is_empty() {
        output::line(format!("✓ {}", report::sanitize(fine)));
        return Exit::Done;
    }
    Exit::Refused
}

async fn apply(global: &Global, setup: &Setup, plan: &Plan, removal: bool) -> Result<Exit, Halt> {
    let paint = report::stdout_paint(global.color);
    for edit in plan.edits.iter().filter(|edit| edit.foreign) {
        output::raw(diff(&edit.path, edit.before.as_deref().unwrap_or(""), edit.after.as_deref().unwrap_or(""), paint));
    }
    let foreign = plan.edits.iter().any(|edit| edit.foreign);
    let yes = global.yes || (foreign && ask());
    let applied = setup.apply(plan, yes).await.map_err(refused)?;
    for edit in &plan.edits {
        let verb = if edit.after.is_some() { "wrote" } else { "removed" };
        output::line(format!("{verb} {}", edit.path.display()));
    }
    applied.backups.iter().for_each(|copy| output::line(format!("as it was: {}", copy.display())));
    for path in &plan.unused {
        output::line(format!("no longer used, and left as it is: {}", path.display()));
    }
    output::line(match (removal, applied.reloaded) {
        (true, _) => "✓ nginx sends the traffic straight to the active port again",
        (false, true) => "✓ nginx was reloaded once and follows the route",
        (false, false) => "✓ nginx follows the route already",
    });
    Ok(Exit::Done)
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

fn diff(path: &Path, before: &str, after: &str, paint: report::Paint) -> String {
    let text = similar::TextDiff::from_lines(before, after);
    let unified =
        text.unified_diff().context_radius(2).header(&path.display().to_string(), "after the set-up").to_string();
    let line = |line: &str| match line.as_bytes().first() {
        Some(b'+') => paint.good(line),
        Some(b'-') => paint.bad(line),
        _ => line.to_owned(),
    };
    unified.lines().map(|text| line(text) + "\n").collect()
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
fn refused(error: SetupError) -> Halt {
    Halt::error(Exit::Refused, &error).next(error.fix())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/etc/nginx/conf.d/service-url.inc";

    fn judged(route: Result<Route, ResolveError>, reads: Result<bool, String>) -> (Exit, String) {
        match judge(Path::new(PATH), route, reads) {
            Ok(found) => (tell(&[], &found), found),
            Err(wrong) => (tell(&wrong, ""), wrong.iter().map(|d| format!("{}; {}\n", d.what, d.fix)).collect()),
        }
    }

    #[test]
    fn an_include_file_that_nginx_reads_is_all_that_reload_mode_needs() {
        let real1 = Route::solo(Profile::new("real1".parse().unwrap(), 8081).unwrap());
        let (exit, found) = judged(Ok(real1.clone()), Ok(true));
        assert_eq!((exit, found), (Exit::Done, format!("nginx reads {PATH}, which leads to real1 on port 8081")));
        let article = ResolveError::Unmanaged(format!("{PATH} leads to port 8080"));
        let (exit, found) = judged(Err(article), Ok(true));
        assert!(exit == Exit::Done && found.contains("leads to port 8080, which is neither profile"), "{found}");

        let missing = ResolveError::NotSetUp(format!("there is no {PATH}"));
        let stale = ResolveError::Unknown(format!("{PATH} is newer than nginx's workers"));
        for (route, reads, wanted, lines) in [
            (Ok(real1.clone()), Ok(false), "nginx does not read /etc", 1),
            (Ok(real1), Err("nginx: [emerg] no".to_owned()), "[emerg] no; run this as root", 1),
            (Err(missing), Ok(false), "there is no /etc/nginx/conf.d/service-url.inc; write `set $service_url", 1),
            (Err(stale), Err("nginx: [emerg] no".to_owned()), "is newer than nginx's workers", 2),
        ] {
            let (exit, found) = judged(route, reads);
            assert_eq!((exit, found.lines().count()), (Exit::Refused, lines), "{found}");
            assert!(found.contains(wanted), "{found}");
        }
    }
}
