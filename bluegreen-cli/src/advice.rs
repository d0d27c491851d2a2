//! What to type, for what was found at the front door and at nginx.

use bluegreen_core::{Blind, Refusal, RunError, Traffic};
use bluegreen_nginx::{
    Commands, MasterError, RouteDirError,
    setup::{Repair, SetupError},
};
use rustix::process::geteuid;

use crate::{
    config::Config,
    report::{self, LISTENERS},
    wiring,
};

pub(crate) const SET_UP: &str = "sudo bluegreen setup --apply";
pub(crate) const FIRST_DEPLOY: &str = "bluegreen deploy ARTIFACT";

/// What the proxy says, or why that is not known.
pub(crate) fn said(traffic: &Result<Traffic, Blind>) -> String {
    traffic.as_ref().map_or_else(ToString::to_string, ToString::to_string)
}

/// What to type when neither profile is known to have the traffic: of the nginx that is meant, which need not be the system's.
pub(crate) fn for_traffic(traffic: &Result<Traffic, Blind>, config: &Config) -> String {
    let test = || wiring::typed_test(config);
    match (traffic, wiring::master(config).pid()) {
        (Ok(Traffic::NotSetUp(_)) | Err(Blind::Differs(_)), _) => SET_UP.to_owned(),
        (Ok(Traffic::Elsewhere(_)), _) => FIRST_DEPLOY.to_owned(),
        (_, Ok(_)) => format!("{} && bluegreen check", test()),
        (_, Err(MasterError::NotRunning(_))) => format!("{} && sudo systemctl start nginx && bluegreen check", test()),
        // which one, and what is in the way, is a longer story
        _ => "bluegreen check".to_owned(),
    }
}

/// What to do where root runs nothing.
const BY_HAND: &str = "put in what `bluegreen setup --print http|server|location` prints, by hand";
/// What to do when the pid file names no nginx that runs.
const OTHER_NGINX: &str =
    "start that nginx, or correct pid_file in [proxy.nginx]: `ps -C nginx -o pid,args` shows which ones run";

/// What to do where nothing tells several nginx apart.
const WHICH_NGINX: &str = "name the pid file of the one that is meant as pid_file in [proxy.nginx]: `ps -C nginx -o pid,args` shows \
     which ones run";

/// What to do about an nginx that is not called.
pub(crate) fn for_master(error: &MasterError) -> String {
    match error {
        MasterError::NotRunning(_) => "sudo nginx -t && sudo systemctl start nginx".to_owned(),
        MasterError::PidFile(_) => OTHER_NGINX.to_owned(),
        // root sees which of them holds the front door
        MasterError::Several(_) if !geteuid().is_root() => SET_UP.to_owned(),
        MasterError::Several(_) => WHICH_NGINX.to_owned(),
        MasterError::Gone(_) => format!("{}, then {SET_UP}", report::install("nginx")),
        MasterError::Held { .. } => LISTENERS.to_owned(),
        MasterError::Stranger(_) => format!("{LISTENERS}; if it leads to nginx in a container, {BY_HAND}"),
        MasterError::Foreign { uid, .. } => {
            format!("as that user: sudo -u '#{uid}' bluegreen setup --apply")
        }
        MasterError::Other { running: Some(program), .. } => {
            format!("program = \"{}\" in [proxy.nginx], then {SET_UP}", program.display())
        }
        MasterError::Elsewhere(_) | MasterError::Other { .. } | MasterError::Unsafe(_) => BY_HAND.to_owned(),
        // the words of the system say why, as that too many files are open
        MasterError::Unseen(_) => format!("put that right, then {SET_UP}"),
        _ => "bluegreen check".to_owned(),
    }
}

/// What to do about a set-up that did not happen. `commands` is how its nginx is called.
pub(crate) fn for_setup(error: &SetupError, commands: &Commands) -> String {
    match error {
        SetupError::Nginx(_) | SetupError::NotUndone { .. } => commands.typed_test(),
        SetupError::Route(RouteDirError::Unsafe { .. })
        | SetupError::Location { .. }
        | SetupError::Place(_)
        | SetupError::Master(_) => {
            format!("do that, then {SET_UP}")
        }
        SetupError::Io { .. } | SetupError::Route(_) => format!("{SET_UP}, as root"),
        SetupError::Syntax { .. } => BY_HAND.to_owned(),
        SetupError::NoLocation { port, server } => {
            let place = server.as_ref().map(|at| format!(", as `location /` of the server block at {at}"));
            format!(
                "write `proxy_pass http://127.0.0.1:{port};` into the app's location{}, then {SET_UP}; or, when the app \
                 is served from a third port, {SET_UP} --site FILE, the file with its server block",
                place.unwrap_or_default()
            )
        }
        SetupError::Ambiguous { .. } => format!("{SET_UP} --site FILE, the file with the app's server block"),
        SetupError::BothProfiles(_) => format!(
            "let all of them lead to the one that serves now, then {SET_UP}; or {SET_UP} --site FILE, the file with the \
             app's server block"
        ),
        SetupError::Ports { .. } => format!(
            "write the ports as they were in [profiles]; one is changed while the other profile serves, and then {SET_UP}"
        ),
        SetupError::Unseen(_) => format!("put that right, then {SET_UP}"),
        SetupError::Forgotten(_) => "bluegreen status".to_owned(),
        SetupError::NeedsPrepared { .. } => format!("bluegreen prepare ARTIFACT, then {SET_UP}"),
        SetupError::ByHand { .. } => format!("take it out by hand, then {}", commands.typed_reload()),
        SetupError::OfAnother { .. } => {
            "give this app another name; or, with that configuration: sudo bluegreen setup --remove".to_owned()
        }
        SetupError::NotAgreed(_) => "look at the difference, then the same with --yes".to_owned(),
        SetupError::Changed(_) => "the same again".to_owned(),
        SetupError::NotReloaded | SetupError::NotProven(_) | SetupError::NotRemoved => commands.typed_log(),
        // what is not known here the look itself tells
        _ => "bluegreen setup --check".to_owned(),
    }
}

/// What to do against a difference from the set-up.
pub(crate) fn for_repair(repair: &Repair, commands: &Commands) -> String {
    match repair {
        Repair::First(clause) => format!("{clause} then {SET_UP}"),
        Repair::Do(fix) => fix.clone(),
        Repair::Again(first) => format!("{first}, then run this again"),
        Repair::Against(error) => for_setup(error, commands),
        _ => SET_UP.to_owned(),
    }
}

/// What to do about a run that was refused, where it is more than the refusal says.
pub(crate) fn for_run(error: &RunError, config: &Config) -> Option<String> {
    let RunError::Refused { refusal, .. } = error else { return None };
    match refusal {
        Refusal::Blind(blind) => Some(for_traffic(&Err(blind.clone()), config)),
        Refusal::NotSetUp(_) => Some(SET_UP.to_owned()),
        Refusal::Elsewhere(_) => Some(FIRST_DEPLOY.to_owned()),
        _ => None,
    }
}

/// What makes an app listen where nginx dials it, and nowhere else.
pub(crate) const ON_LOOPBACK: &str = "let it listen on 127.0.0.1, as with `--server.address=127.0.0.1`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fix_names_the_nginx_that_is_meant() {
        let commands = Commands::new(["/opt/nginx", "-c", "/opt/nginx.conf"]);
        for error in [SetupError::Nginx("no".into()), SetupError::ByHand { path: "x".into() }, SetupError::NotReloaded]
        {
            let fix = for_setup(&error, &commands);
            assert!(fix.contains("sudo /opt/nginx -c /opt/nginx.conf -"), "{error}: {fix}");
        }
    }
}
