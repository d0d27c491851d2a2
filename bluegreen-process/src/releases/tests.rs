use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use bluegreen_core::ReleaseId;

use super::{NewRelease, Release, ReleaseError, Releases, TEMPORARY};
use crate::Spec;

struct Rig {
    dir: tempfile::TempDir,
    store: Releases,
    spec: Spec,
}

impl Rig {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let spec = Spec { command: vec!["run".into()], env: BTreeMap::new(), workdir: "{shared_dir}".into() };
        Self { store: Releases::new(dir.path().join("releases")), dir, spec }
    }

    fn new_release<'a>(&'a self, artifact: Option<&'a Path>) -> NewRelease<'a> {
        NewRelease { artifact, spec: &self.spec, version: None, sha256: None }
    }

    fn add(&self, name: &str, content: &str) -> Release {
        let path = self.dir.path().join(name);
        fs::write(&path, content).unwrap();
        self.store.add(&self.new_release(Some(&path)), &mut |_, _| {}).unwrap()
    }

    fn leftovers(&self) -> usize {
        let entries = fs::read_dir(self.dir.path().join("releases")).into_iter().flatten().flatten();
        entries.filter(|e| e.file_name().to_string_lossy().starts_with(TEMPORARY)).count()
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// As a user would see it: what is there, sorted.
fn ids(releases: &[Release]) -> Vec<ReleaseId> {
    releases.iter().map(|r| r.id.clone()).collect()
}

#[test]
fn a_file_is_copied_once_whole_and_read_only() {
    let rig = Rig::new();
    let path = rig.dir.path().join("app.jar");
    fs::write(&path, vec![7; 600 << 10]).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let mut seen = Vec::new();
    let release = rig.store.add(&rig.new_release(Some(&path)), &mut |done, all| seen.push((done, all))).unwrap();
    assert_eq!(seen, [(256 << 10, 600 << 10), (512 << 10, 600 << 10), (600 << 10, 600 << 10)]);
    let copy = rig.store.artifact(&release).unwrap();
    assert_eq!(copy, rig.store.path(&release.id).join("app.jar"));
    assert_eq!((fs::read(&copy).unwrap(), mode(&copy)), (vec![7; 600 << 10], 0o555));
    assert_eq!(rig.store.get(&release.id).unwrap(), release);
    assert_eq!(rig.store.list().unwrap(), std::slice::from_ref(&release));

    // what was deployed stays what it was when the source changes
    fs::write(&path, "x").unwrap();
    rig.store.verify(&release).unwrap();
    assert_eq!((release.size, rig.leftovers()), (600 << 10, 0));
}

#[test]
fn the_id_is_artifact_command_and_version() {
    let mut rig = Rig::new();
    let first = rig.add("app", "1");
    assert_eq!(rig.add("app", "1"), first, "the same again is the same, not a copy");
    assert_ne!(rig.add("app", "2").id, first.id);
    rig.spec.env.insert("A".into(), "1".into());
    assert_ne!(rig.add("app", "1").id, first.id);
    let bare = rig.store.add(&rig.new_release(None), &mut |_, _| {}).unwrap();
    assert_eq!((bare.artifact.as_ref(), rig.store.artifact(&bare)), (None, None));
    assert_eq!((rig.store.list().unwrap().len(), rig.leftovers()), (4, 0));
}

#[test]
fn a_directory_keeps_links_and_bits_and_nothing_else() {
    let rig = Rig::new();
    let root = rig.dir.path().join("dist");
    fs::create_dir_all(root.join("bin/sub")).unwrap();
    fs::write(root.join("bin/run"), "#!").unwrap();
    fs::set_permissions(root.join("bin/run"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(root.join("data"), "d").unwrap();
    symlink("../data", root.join("bin/link")).unwrap();
    symlink("/usr/bin/env", root.join("absolute")).unwrap();
    let release = rig.store.add(&rig.new_release(Some(&root)), &mut |_, _| {}).unwrap();
    let copy = rig.store.artifact(&release).unwrap();
    assert_eq!(fs::read_link(copy.join("bin/link")).unwrap(), Path::new("../data"));
    let modes = ["bin", "bin/sub", "bin/run", "data"].map(|name| mode(&copy.join(name)));
    assert_eq!(modes, [0o555, 0o555, 0o555, 0o444]);
    rig.store.verify(&release).unwrap();

    // each of these changes is another release
    let mut seen = vec![release.id];
    let mut changed = |what: &str| {
        let id = rig.store.add(&rig.new_release(Some(&root)), &mut |_, _| {}).unwrap().id;
        assert!(!seen.contains(&id), "{what}");
        seen.push(id);
    };
    fs::set_permissions(root.join("data"), fs::Permissions::from_mode(0o700)).unwrap();
    changed("executable");
    fs::rename(root.join("data"), root.join("bin/data")).unwrap();
    changed("place");
    fs::remove_file(root.join("bin/link")).unwrap();
    symlink("data", root.join("bin/link")).unwrap();
    changed("link");
    fs::remove_dir(root.join("bin/sub")).unwrap();
    changed("empty directory");
}

#[test]
fn what_cannot_be_kept_is_refused_and_leaves_nothing() {
    let rig = Rig::new();
    let root = rig.dir.path().join("dist");
    let refused = |why: &str| {
        let error = rig.store.add(&rig.new_release(Some(&root)), &mut |_, _| {}).unwrap_err();
        assert!(matches!(error, ReleaseError::BadArtifact { .. }), "{error}");
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!((rig.leftovers(), rig.store.list().unwrap().len()), (0, 0));
    };
    fs::create_dir(&root).unwrap();
    symlink("../../escape", root.join("link")).unwrap();
    refused("leaves the directory");
    fs::remove_file(root.join("link")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    refused("socket: neither");

    let missing = rig.dir.path().join("none");
    assert!(rig.store.add(&rig.new_release(Some(&missing)), &mut |_, _| {}).is_err());
    let own = rig.dir.path().join("release.json");
    fs::write(&own, "").unwrap();
    assert!(rig.store.add(&rig.new_release(Some(&own)), &mut |_, _| {}).is_err());
}

#[test]
fn a_wrong_digest_is_refused_and_a_right_one_taken() {
    let rig = Rig::new();
    let path = rig.dir.path().join("app");
    fs::write(&path, "abc").unwrap();
    let right = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
    let add =
        |sha256| rig.store.add(&NewRelease { sha256: Some(sha256), ..rig.new_release(Some(&path)) }, &mut |_, _| {});
    assert!(matches!(add("00"), Err(ReleaseError::WrongDigest { .. })));
    assert_eq!((rig.leftovers(), rig.store.list().unwrap().len()), (0, 0));
    assert_eq!(add(right).unwrap().sha256.unwrap(), right.to_lowercase());
}

#[test]
fn another_version_of_the_same_is_another_release() {
    let rig = Rig::new();
    let path = rig.dir.path().join("app");
    fs::write(&path, "one").unwrap();
    let new = |version| NewRelease { version, ..rig.new_release(Some(&path)) };
    let add = |version| rig.store.add(&new(version), &mut |_, _| {}).unwrap();
    let (a, b) = (add(Some("A")), add(Some("B")));
    assert_ne!(a.id, b.id);
    // what the first is called does not change: it may run, and has been told
    assert_eq!(rig.store.get(&a.id).unwrap(), a);
    assert_eq!((a.version.as_deref(), b.version.as_deref()), (Some("A"), Some("B")));
    assert_eq!(rig.store.list().unwrap(), [b.clone(), a.clone()]);

    assert_eq!(add(Some("A")), a, "the same again is the same");
    assert_eq!(add(None), b, "who asks for no version gets the newest");
    assert_eq!(rig.store.look_at(&new(Some("A"))).unwrap(), (a, true));
    assert_eq!(rig.store.look_at(&new(None)).unwrap(), (b, true));
    let (c, there) = rig.store.look_at(&new(Some("C"))).unwrap();
    assert_eq!((c.version.as_deref(), there, rig.leftovers()), (Some("C"), false, 0));
}

#[test]
fn a_damaged_release_is_noticed_and_hides_no_other() {
    let rig = Rig::new();
    let (good, bad) = (rig.add("a", "1"), rig.add("b", "2"));
    let file = rig.store.artifact(&bad).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&file, "3").unwrap();
    assert!(matches!(rig.store.verify(&bad), Err(ReleaseError::Damaged { .. })));
    let again = rig.store.add(&rig.new_release(Some(&rig.dir.path().join("b"))), &mut |_, _| {});
    assert!(matches!(again, Err(ReleaseError::Damaged { .. })), "never over an existing one");
    fs::write(rig.store.path(&bad.id).join("x"), "").unwrap();
    fs::remove_file(rig.store.path(&bad.id).join("release.json")).unwrap();
    fs::write(rig.store.path(&bad.id).join("release.json"), "{").unwrap();
    assert!(matches!(rig.store.get(&bad.id), Err(ReleaseError::Damaged { .. })));
    assert_eq!(rig.store.list().unwrap(), [good]);
}

#[test]
fn a_release_is_found_by_version_or_by_the_beginning_of_its_id() {
    let rig = Rig::new();
    let path = rig.dir.path().join("app");
    fs::write(&path, "1").unwrap();
    let add =
        |version| rig.store.add(&NewRelease { version: Some(version), ..rig.new_release(Some(&path)) }, &mut |_, _| {});
    let first = add("v1").unwrap();
    assert_eq!(rig.store.resolve("v1").unwrap(), first);
    assert_eq!(rig.store.resolve(first.id.short()).unwrap(), first);
    assert!(matches!(rig.store.resolve("v9"), Err(ReleaseError::Unknown(_))));
    assert!(rig.store.resolve("").is_err());
    let second = add("v2").unwrap();
    assert_eq!((rig.store.resolve("v1").unwrap(), rig.store.resolve("v2").unwrap()), (first, second));

    // with 17 releases, two ids begin with the same digit
    (0..17).for_each(|i| drop(rig.add("app", &i.to_string())));
    let all = ids(&rig.store.list().unwrap());
    let digit = |id: &ReleaseId| id.as_str()[..1].to_owned();
    let twice = all.iter().find(|a| all.iter().filter(|b| digit(a) == digit(b)).count() > 1).unwrap();
    assert!(matches!(rig.store.resolve(&digit(twice)), Err(ReleaseError::Ambiguous { .. })));
}

#[test]
fn prune_keeps_what_is_new_needed_or_pinned() {
    let rig = Rig::new();
    let added: Vec<Release> = (0..6)
        .map(|i| {
            // the order is that of milliseconds
            std::thread::sleep(std::time::Duration::from_millis(2));
            rig.add("app", &i.to_string())
        })
        .collect();
    rig.store.pin(&added[0].id).unwrap();
    assert!(rig.store.is_pinned(&added[0].id));
    let removed = rig.store.prune(2, &[added[1].id.clone()]).unwrap();
    assert_eq!(ids(&removed), ids(&[added[3].clone(), added[2].clone()]));
    let left = rig.store.list().unwrap();
    assert_eq!(ids(&left), ids(&[5, 4, 1, 0].map(|i| added[i].clone())));
    rig.store.unpin(&added[0].id).unwrap();
    rig.store.unpin(&added[0].id).unwrap();
    assert_eq!(rig.store.prune(0, &[]).unwrap().len(), 4);
    assert_eq!(rig.leftovers(), 0);
    assert!(rig.store.pin(&added[0].id).is_err());
}

#[test]
fn leftovers_go_and_work_of_others_stays() {
    let rig = Rig::new();
    rig.add("app", "1");
    let dir = rig.dir.path().join("releases");
    fs::create_dir_all(dir.join(".tmp-dead/sub")).unwrap();
    fs::set_permissions(dir.join(".tmp-dead"), fs::Permissions::from_mode(0o555)).unwrap();
    let busy = super::Scratch::new(&dir).unwrap();
    rig.add("app", "2");
    assert!(!dir.join(".tmp-dead").exists());
    assert!(busy.path.exists());
    drop(busy);
    assert_eq!(rig.leftovers(), 0);
}

#[test]
fn a_full_disk_is_told_before_anything_is_written() {
    let rig = Rig::new();
    rig.add("app", "1");
    rig.store.check_space(1).unwrap();
    let error = rig.store.check_space(1 << 60).unwrap_err();
    assert!(matches!(error, ReleaseError::NoSpace { needed, free, .. } if needed > free), "{error}");
    assert!(error.to_string().contains("MB are needed"), "{error}");
}
