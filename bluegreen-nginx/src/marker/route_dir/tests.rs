use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use bluegreen_core::Profile;

use super::*;

fn profiles() -> Profiles {
    let profile = |name: &str, port| Profile::new(name.parse().unwrap(), port).unwrap();
    Profiles::new(profile("real1", 8081), profile("real2", 8082)).unwrap()
}

fn made() -> (tempfile::TempDir, RouteDir) {
    let home = tempfile::tempdir().unwrap();
    let route = RouteDir::new(home.path().join("a/route"), profiles()).unwrap();
    route.create().unwrap();
    (home, route)
}

#[test]
fn is_made_of_four_directories_with_their_markers() {
    let (_home, route) = made();
    let mut seen: Vec<String> = Vec::new();
    for dir in ["real1", "real1+standby", "real2", "real2+standby"] {
        let path = route.path().join(dir);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o755);
        let mut markers: Vec<_> =
            path.read_dir().unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        markers.sort();
        for marker in &markers {
            assert_eq!(path.join(marker).metadata().unwrap().permissions().mode() & 0o7777, 0o644);
        }
        seen.push(format!("{dir}: {}", markers.join(" ")));
    }
    assert_eq!(seen, ["real1: solo", "real1+standby: ", "real2: second solo", "real2+standby: second"]);
    assert_eq!(route.read().unwrap(), None);
    route.check().unwrap();
}

#[test]
fn points_and_reads_all_four() {
    let (_home, route) = made();
    for wanted in route.routes() {
        route.point(&wanted).unwrap();
        route.point(&wanted).unwrap();
        assert_eq!(route.read().unwrap(), Some(wanted));
    }
    assert!(!route.path().join(NEXT).exists());
}

#[test]
fn creating_again_repairs_and_keeps_the_route() {
    let (_home, route) = made();
    let wanted = route.routes()[2].clone();
    route.point(&wanted).unwrap();
    std::fs::remove_file(route.path().join("real2/second")).unwrap();
    std::fs::write(route.path().join("real2+standby/solo"), "").unwrap();
    assert!(matches!(route.check(), Err(RouteDirError::Markers(_))));
    assert!(matches!(route.point(&wanted), Err(RouteDirError::Markers(_))));
    route.create().unwrap();
    route.check().unwrap();
    assert_eq!(route.read().unwrap(), Some(wanted));
}

#[test]
fn takes_over_after_a_kill_between_symlink_and_rename() {
    let (_home, route) = made();
    let [before, _, after, _] = route.routes();
    route.point(&before).unwrap();
    symlink("real2+standby", route.path().join(NEXT)).unwrap();
    assert_eq!(route.read().unwrap(), Some(before));
    route.point(&after).unwrap();
    assert_eq!(route.read().unwrap(), Some(after));
}

#[test]
fn refuses_what_is_not_its_own() {
    let (_home, route) = made();
    let stranger = Profile::new("real3".parse().unwrap(), 8083).unwrap();
    let first = profiles().first().clone();
    assert!(matches!(route.point(&Route::solo(stranger)), Err(RouteDirError::Foreign(_))));
    let itself = Route::with_standby(first.clone(), first.clone());
    assert!(matches!(route.point(&itself), Err(RouteDirError::Foreign(_))));
    symlink("/etc", route.path().join(LIVE)).unwrap();
    assert!(matches!(route.read(), Err(RouteDirError::Target { .. })));
    route.point(&Route::solo(first)).unwrap();
    assert!(route.read().unwrap().is_some());
}

#[test]
fn a_directory_in_the_place_of_live_is_set_aside() {
    let home = tempfile::tempdir().unwrap();
    let route = RouteDir::new(home.path().join("route"), profiles()).unwrap();
    route.create().unwrap();
    let live = route.path().join("live");
    let _ = std::fs::remove_file(&live);
    std::fs::create_dir(&live).unwrap();
    std::fs::write(live.join("second"), "").unwrap();
    assert!(matches!(route.read(), Err(RouteDirError::InTheWay(_))));
    let second = Route::solo(profiles().second().clone());
    route.point(&second).unwrap();
    assert_eq!(route.read().unwrap(), Some(second));
    let aside = route.path().join(".live.next.damaged");
    assert!(aside.join("second").exists() && route.check().is_ok(), "nothing of it is lost");
}

#[test]
fn never_writes_through_a_symlink() {
    let home = tempfile::tempdir().unwrap();
    let elsewhere = home.path().join("elsewhere");
    std::fs::create_dir_all(&elsewhere).unwrap();
    let route = RouteDir::new(home.path().join("route"), profiles()).unwrap();
    std::fs::create_dir(route.path()).unwrap();
    symlink(&elsewhere, route.path().join("real1")).unwrap();
    assert!(matches!(route.create(), Err(RouteDirError::InTheWay(_))));
    assert_eq!(elsewhere.read_dir().unwrap().count(), 0);
}

#[test]
fn is_handed_over_to_who_deploys() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: not root, so nothing can be given away");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let route = RouteDir::new(home.path().join("a/route"), profiles()).unwrap();
    let uid = |name: &str| home.path().join(name).metadata().unwrap().uid();
    let owner = User::by_number(65534, 65534);
    route.create_for(&owner).unwrap();
    route.create_for(&owner).unwrap();
    for dir in ["a/route", "a/route/real1", "a/route/real2+standby", "a/route/real1/solo"] {
        assert_eq!(uid(dir), 65534, "{dir}");
    }
    assert_eq!(uid("a"), 0);
    // they point it, and nobody else
    owner.act(|| route.point(&route.fallback())).unwrap().unwrap();
    assert_eq!(route.read().unwrap(), Some(route.fallback()));
    let other = User::by_number(4711, 4711);
    for refused in [route.point(&route.fallback()), other.act(|| route.point(&route.fallback())).unwrap()] {
        assert!(matches!(refused, Err(RouteDirError::Unsafe { .. })), "{refused:?}");
    }
}

#[test]
fn what_is_there_is_not_given_away() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: not root, so nothing can be given away");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let site = home.path().join("site");
    std::fs::create_dir(&site).unwrap();
    std::fs::write(site.join("index.html"), "").unwrap();
    let seen = |path: &Path| path.metadata().map(|meta| (meta.uid(), meta.mode(), meta.ctime_nsec())).unwrap();
    for (path, why) in
        [("/etc", "of the system"), ("/srv", "of the system"), (site.to_str().unwrap(), "belongs to user root")]
    {
        let route = RouteDir::new(path, profiles()).unwrap();
        let before = seen(route.path());
        let error = route.create_for(&User::by_number(4711, 4711)).unwrap_err().to_string();
        assert!(error.contains(why) && error.contains("another route_dir"), "{error}");
        assert!(route.create_for(&User::current()).is_err(), "{path} is no place of root's either");
        assert_eq!(seen(route.path()), before);
    }
}

#[test]
fn takes_only_paths_that_need_no_quoting() {
    for bad in ["route", "/a b", "/a;b", "/a{b", "/a\"b", "/a$b", "/ä"] {
        assert!(RouteDir::new(bad, profiles()).is_err(), "{bad}");
    }
}
