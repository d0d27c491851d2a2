use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow,
    os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink},
    path::Path,
};

use bluegreen_core::ReleaseId;

use super::{NewRelease, Release, ReleaseError, Releases, Stored, scratch::TEMPORARY};
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
        self.store.add(&self.new_release(Some(&path)), &mut go_on).unwrap()
    }

    fn leftovers(&self) -> usize {
        let entries = fs::read_dir(self.dir.path().join("releases")).into_iter().flatten().flatten();
        entries.filter(|e| e.file_name().to_string_lossy().starts_with(TEMPORARY)).count()
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn go_on(_: u64, _: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
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
    let mut watch = |done, all| {
        seen.push((done, all));
        ControlFlow::Continue(())
    };
    let release = rig.store.add(&rig.new_release(Some(&path)), &mut watch).unwrap();
    seen.dedup();
    assert_eq!(seen, [(256 << 10, 600 << 10), (512 << 10, 600 << 10), (600 << 10, 600 << 10)]);
    let copy = rig.store.artifact(&release).unwrap();
    assert_eq!(copy, rig.store.path(&release.id).join("app.jar"));
    assert_eq!((fs::read(&copy).unwrap(), mode(&copy)), (vec![7; 600 << 10], 0o555));
    assert_eq!(rig.store.get(&release.id).unwrap(), release);
    assert_eq!(rig.store.list().unwrap().releases, std::slice::from_ref(&release));

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
    let bare = rig.store.add(&rig.new_release(None), &mut go_on).unwrap();
    assert_eq!((bare.artifact.as_ref(), rig.store.artifact(&bare)), (None, None));
    assert_eq!((rig.store.list().unwrap().releases.len(), rig.leftovers()), (4, 0));
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
    let release = rig.store.add(&rig.new_release(Some(&root)), &mut go_on).unwrap();
    let copy = rig.store.artifact(&release).unwrap();
    assert_eq!(fs::read_link(copy.join("bin/link")).unwrap(), Path::new("../data"));
    let modes = ["bin", "bin/sub", "bin/run", "data"].map(|name| mode(&copy.join(name)));
    assert_eq!(modes, [0o555, 0o555, 0o500, 0o444]);
    rig.store.verify(&release).unwrap();

    // each of these changes is another release
    let mut seen = vec![release.id];
    let mut changed = |what: &str| {
        let id = rig.store.add(&rig.new_release(Some(&root)), &mut go_on).unwrap().id;
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

/// So many directories in one another that no stack holds them, and then so many that no path does.
#[test]
fn a_deep_tree_is_copied_or_refused_and_removed() {
    let rig = Rig::new();
    let root = rig.dir.path().join("dist");
    let make = |levels: usize| {
        let mut dir = root.clone();
        fs::create_dir(&dir).unwrap();
        // a name that is short enough for each of them to fit
        for _ in 0..levels {
            dir.push("d");
            fs::create_dir(&dir).unwrap();
        }
    };
    make(700);
    let release = rig.store.add(&rig.new_release(Some(&root)), &mut go_on).unwrap();
    assert_eq!(rig.store.prune(0, &[]).unwrap().len(), 1);
    assert!(!rig.store.path(&release.id).exists());
    super::scratch::remove_tree(&root).unwrap();
    make((4095 - root.as_os_str().len()) / 2 - 1);
    let refused = rig.store.add(&rig.new_release(Some(&root)), &mut go_on).unwrap_err();
    assert!(matches!(refused, ReleaseError::BadArtifact { .. }), "{refused}");
    assert!(refused.to_string().starts_with(&format!("{}: it has directories", root.display())), "{refused}");
    assert_eq!(rig.leftovers(), 0);
}

#[test]
fn a_store_that_is_a_link_to_nowhere_is_no_empty_one() {
    let rig = Rig::new();
    let release = rig.add("app", "1");
    let dir = rig.dir.path().join("releases");
    fs::rename(&dir, rig.dir.path().join("aside")).unwrap();
    assert_eq!(rig.store.list().unwrap().releases, [], "nothing was stored yet");
    symlink(rig.dir.path().join("gone"), &dir).unwrap();
    let artifact = rig.dir.path().join("app");
    let refused = [
        rig.store.list().map(drop).unwrap_err(),
        rig.store.get(&release.id).map(drop).unwrap_err(),
        rig.store.add(&rig.new_release(Some(&artifact)), &mut go_on).map(drop).unwrap_err(),
    ];
    for error in refused {
        let ReleaseError::Io { path, source } = error else { panic!("{error}") };
        assert_eq!((path, source.to_string().as_str()), (dir.clone(), "it is a link that leads nowhere"));
    }
}

/// As the kernel shows it through an overlay: another directory of another number.
#[test]
fn an_artifact_with_a_release_of_a_store_in_it_is_refused() {
    let rig = Rig::new();
    let release = rig.add("app", "1");
    let root = rig.dir.path().join("dist");
    let shown = root.join("state/releases").join(release.id.as_str());
    fs::create_dir_all(&shown).unwrap();
    fs::write(shown.join("release.json"), "{}").unwrap();
    let refused = rig.store.add(&rig.new_release(Some(&root)), &mut go_on).unwrap_err();
    assert!(matches!(refused, ReleaseError::HoldsStore { .. }), "{refused}");
    fs::rename(&shown, root.join("state/releases/cafe")).unwrap();
    rig.store.add(&rig.new_release(Some(&root)), &mut go_on).unwrap();
}

#[test]
fn what_cannot_be_kept_is_refused_and_leaves_nothing() {
    let rig = Rig::new();
    let root = rig.dir.path().join("dist");
    let refused = |why: &str| {
        let error = rig.store.add(&rig.new_release(Some(&root)), &mut go_on).unwrap_err();
        assert!(matches!(error, ReleaseError::BadArtifact { .. }), "{error}");
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!((rig.leftovers(), rig.store.list().unwrap().releases.len()), (0, 0));
    };
    fs::create_dir(&root).unwrap();
    symlink("../../escape", root.join("link")).unwrap();
    refused("leaves the directory");
    fs::remove_file(root.join("link")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    refused("socket: neither");

    let missing = rig.dir.path().join("none");
    assert!(rig.store.add(&rig.new_release(Some(&missing)), &mut go_on).is_err());
    let own = rig.dir.path().join("release.json");
    fs::write(&own, "").unwrap();
    assert!(rig.store.add(&rig.new_release(Some(&own)), &mut go_on).is_err());
}

#[test]
fn a_wrong_digest_is_refused_and_a_right_one_taken() {
    let rig = Rig::new();
    let path = rig.dir.path().join("app");
    fs::write(&path, "abc").unwrap();
    let right = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
    let add = |sha256| rig.store.add(&NewRelease { sha256: Some(sha256), ..rig.new_release(Some(&path)) }, &mut go_on);
    assert!(matches!(add("00"), Err(ReleaseError::WrongDigest { .. })));
    assert_eq!((rig.leftovers(), rig.store.list().unwrap().releases.len()), (0, 0));
    assert_eq!(add(right).unwrap().sha256.unwrap(), right.to_lowercase());
}

#[test]
fn another_version_of_the_same_is_another_release() {
    let rig = Rig::new();
    let path = rig.dir.path().join("app");
    fs::write(&path, "one").unwrap();
    let new = |version| NewRelease { version, ..rig.new_release(Some(&path)) };
    let add = |version| rig.store.add(&new(version), &mut go_on).unwrap();
    let (a, b) = (add(Some("A")), add(Some("B")));
    assert_ne!(a.id, b.id);
    // what the first is called does not change: it may run, and has been told
    assert_eq!(rig.store.get(&a.id).unwrap(), a);
    assert_eq!((a.version.as_deref(), b.version.as_deref()), (Some("A"), Some("B")));
    assert_eq!(rig.store.list().unwrap().releases, [b.clone(), a.clone()]);

    assert_eq!(add(Some("A")), a, "the same again is the same");
    assert_eq!(add(None), b, "who asks for no version gets the newest");
    assert_eq!(rig.store.look_at(&new(Some("A")), &mut go_on).unwrap(), (a, true));
    assert_eq!(rig.store.look_at(&new(None), &mut go_on).unwrap(), (b, true));
    let (c, there) = rig.store.look_at(&new(Some("C")), &mut go_on).unwrap();
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
    let again = rig.store.add(&rig.new_release(Some(&rig.dir.path().join("b"))), &mut go_on);
    assert!(matches!(again, Err(ReleaseError::Damaged { .. })), "never over an existing one");
    fs::write(rig.store.path(&bad.id).join("x"), "").unwrap();
    fs::remove_file(rig.store.path(&bad.id).join("release.json")).unwrap();
    fs::write(rig.store.path(&bad.id).join("release.json"), "{").unwrap();
    assert!(matches!(rig.store.get(&bad.id), Err(ReleaseError::Damaged { .. })));
    let Stored { releases, unreadable } = rig.store.list().unwrap();
    assert_eq!(releases, [good]);
    let [unreadable] = &unreadable[..] else { panic!("{unreadable:?}") };
    assert_eq!((&unreadable.id, unreadable.why.to_string().contains("deploy it again")), (&bad.id, true));
}

/// What cannot be read is not gone: it is told, it may be what is asked for, and it is not removed.
#[test]
fn a_release_that_cannot_be_read_is_told_and_stays() {
    let rig = Rig::new();
    let (good, bad) = (rig.add("a", "1"), rig.add("b", "2"));
    let file = rig.store.path(&bad.id).join("release.json");
    let (text, elsewhere) = (fs::read(&file).unwrap(), rig.dir.path().join("elsewhere"));
    fs::write(&elsewhere, &text).unwrap();
    let hands: [(&str, &dyn Fn()); 5] = [
        ("there is no release.json in it", &|| {}),
        ("it is a symbolic link", &|| symlink(&elsewhere, &file).unwrap()),
        ("it is a directory", &|| fs::create_dir(&file).unwrap()),
        ("another one", &|| {
            fs::copy(rig.store.path(&good.id).join("release.json"), &file).unwrap();
        }),
        ("EOF", &|| fs::write(&file, &text[..9]).unwrap()),
    ];
    for (why, put) in hands {
        let _ = fs::remove_file(&file);
        let _ = fs::remove_dir(&file);
        put();
        let Stored { releases, unreadable } = rig.store.list().unwrap();
        assert_eq!((releases.as_slice(), unreadable.len()), (std::slice::from_ref(&good), 1), "{why}");
        assert_eq!(unreadable[0].id, bad.id);
        let says = unreadable[0].why.to_string();
        assert!(says.contains(why) && says.contains("remove"), "{says}");
        assert!(matches!(rig.store.resolve(bad.id.short()), Err(ReleaseError::Damaged { .. })));
        assert_eq!(rig.store.resolve(good.id.short()).unwrap(), good);
    }
    assert_eq!(rig.store.prune(0, &[]).unwrap(), [good]);
    assert!(rig.store.path(&bad.id).exists(), "nobody knows what it is");
}

#[test]
fn whatever_is_in_the_place_of_a_pin_keeps_the_release() {
    let rig = Rig::new();
    let release = rig.add("a", "1");
    let pin = rig.store.path(&release.id).with_extension("pin");
    symlink("nowhere", &pin).unwrap();
    assert!(rig.store.is_pinned(&release.id).unwrap());
    assert_eq!(rig.store.prune(0, &[]).unwrap(), []);
    rig.store.unpin(&release.id).unwrap();
    assert_eq!(rig.store.prune(0, &[]).unwrap(), [release]);
}

#[test]
fn a_release_is_found_by_version_or_by_the_beginning_of_its_id() {
    let rig = Rig::new();
    let path = rig.dir.path().join("app");
    fs::write(&path, "1").unwrap();
    let add =
        |version| rig.store.add(&NewRelease { version: Some(version), ..rig.new_release(Some(&path)) }, &mut go_on);
    let first = add("v1").unwrap();
    assert_eq!(rig.store.resolve("v1").unwrap(), first);
    assert_eq!(rig.store.resolve(first.id.short()).unwrap(), first);
    assert!(matches!(rig.store.resolve("v9"), Err(ReleaseError::Unknown(_))));
    assert!(rig.store.resolve("").is_err());
    let second = add("v2").unwrap();
    assert_eq!((rig.store.resolve("v1").unwrap(), rig.store.resolve("v2").unwrap()), (first, second));

    // with 17 releases, two ids begin with the same digit
    (0..17).for_each(|i| drop(rig.add("app", &i.to_string())));
    let all = ids(&rig.store.list().unwrap().releases);
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
    assert!(rig.store.is_pinned(&added[0].id).unwrap());
    let removed = rig.store.prune(2, &[added[1].id.clone()]).unwrap();
    assert_eq!(ids(&removed), ids(&[added[3].clone(), added[2].clone()]));
    let left = rig.store.list().unwrap().releases;
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
    let busy = super::scratch::Scratch::new(&dir).unwrap();
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

#[test]
fn what_is_closed_stays_closed_and_what_is_open_stays_open() {
    let rig = Rig::new();
    let root = rig.dir.path().join("dist");
    fs::create_dir_all(root.join("secret")).unwrap();
    for name in ["secret/key", "page", "run"] {
        fs::write(root.join(name), "x").unwrap();
    }
    let closed = [("", 0o700), ("secret", 0o711), ("secret/key", 0o600), ("page", 0o644), ("run", 0o6755)];
    for (name, mode) in closed {
        chmod(&root.join(name), mode);
    }
    let release = rig.store.add(&rig.new_release(Some(&root)), &mut go_on).unwrap();
    let copy = rig.store.artifact(&release).unwrap();
    let modes = || {
        ["", "secret", "secret/key", "page", "run"].map(|name| fs::metadata(copy.join(name)).unwrap().mode() & 0o7777)
    };
    assert_eq!(modes(), [0o500, 0o511, 0o400, 0o444, 0o555]);

    // modes are in no digest: it is the same release, open to those who may read the artifact now
    chmod(&root, 0o755);
    chmod(&root.join("page"), 0o600);
    assert_eq!(rig.store.add(&rig.new_release(Some(&root)), &mut go_on).unwrap(), release);
    assert_eq!(modes(), [0o555, 0o511, 0o400, 0o400, 0o555]);
}

#[test]
fn one_group_can_be_the_only_reader() {
    let rig = Rig::new();
    let group = rustix::process::getegid().as_raw();
    let store = rig.store.clone().with_group(Some(group));
    let path = rig.dir.path().join("app");
    fs::write(&path, "1").unwrap();
    chmod(&path, 0o644);
    let open = rig.store.add(&rig.new_release(Some(&path)), &mut go_on).unwrap();
    let dir = rig.store.path(&open.id);
    let modes = || [dir.parent().unwrap(), &dir, &dir.join("app"), &dir.join("release.json")].map(mode);
    assert_eq!(modes(), [0o755, 0o755, 0o444, 0o400]);
    assert_eq!(store.add(&rig.new_release(Some(&path)), &mut go_on).unwrap(), open);
    assert_eq!(modes(), [0o750, 0o750, 0o440, 0o440]);
    assert_eq!(fs::metadata(dir.join("app")).unwrap().gid(), group);
}

#[test]
fn a_copy_is_stopped_between_two_pieces_and_leaves_nothing() {
    let rig = Rig::new();
    let root = rig.dir.path().join("dist");
    fs::create_dir_all(root.join("sub")).unwrap();
    fs::write(root.join("sub/data"), vec![7; 1 << 20]).unwrap();
    let new = rig.new_release(Some(&root));
    // at the list, at the first piece, at a later one, and before the last sync
    for stop in [0, 256 << 10, 768 << 10, 1 << 20] {
        let mut heard = Vec::new();
        let mut watch = |done, _| {
            heard.push(done);
            if done == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        assert!(matches!(rig.store.add(&new, &mut watch), Err(ReleaseError::Stopped)), "{stop}");
        assert!(matches!(rig.store.look_at(&new, &mut watch), Err(ReleaseError::Stopped)), "{stop}");
        assert_eq!((rig.leftovers(), rig.store.list().unwrap().releases.len()), (0, 0), "{stop}");
        assert!(heard.iter().all(|done| *done <= stop), "{heard:?}");
    }
}

#[test]
fn a_hole_is_read_as_zeros_and_copied_as_a_hole() {
    let rig = Rig::new();
    let [sparse, full] = ["sparse", "full"].map(|dir| rig.dir.path().join(dir).join("data"));
    let size = 8 << 20;
    let parts = [(1 << 20, "one"), ((5 << 20) - 1, "two")];
    let mut content = vec![0; size];
    for (at, text) in parts {
        content[at..at + text.len()].copy_from_slice(text.as_bytes());
    }
    for path in [&sparse, &full] {
        fs::create_dir(path.parent().unwrap()).unwrap();
    }
    fs::write(&full, &content).unwrap();
    let file = fs::File::create(&sparse).unwrap();
    file.set_len(size as u64).unwrap();
    for (at, text) in parts {
        file.write_all_at(text.as_bytes(), at as u64).unwrap();
    }
    if file.metadata().unwrap().blocks() * 512 >= size as u64 {
        eprintln!("SKIPPED: this file system keeps no holes");
        return;
    }
    let add = |path: &Path| rig.store.add(&rig.new_release(Some(path)), &mut go_on).unwrap();
    let release = add(&sparse);
    let copy = rig.store.artifact(&release).unwrap();
    assert!(fs::read(&copy).unwrap() == content);
    assert!(fs::metadata(&copy).unwrap().blocks() * 512 < 1 << 20, "the holes were filled");
    assert!(release.on_disk.unwrap() < 1 << 20 && release.size == size as u64, "{release:?}");
    assert_eq!(add(&full), release, "with or without holes it is the same content");
    rig.store.verify(&release).unwrap();
    assert_eq!(add(sparse.parent().unwrap()).size, size as u64);
}

#[test]
fn many_small_files_need_more_than_their_bytes() {
    let rig = Rig::new();
    let root = rig.dir.path().join("dist");
    fs::create_dir(&root).unwrap();
    (0..100).for_each(|n| fs::write(root.join(n.to_string()), "x").unwrap());
    let (release, _) = rig.store.look_at(&rig.new_release(Some(&root)), &mut go_on).unwrap();
    assert_eq!((release.size, release.on_disk), (100, Some(101 * 4096)));
}

#[test]
fn the_store_is_never_copied_into_itself() {
    let rig = Rig::new();
    let home = rig.dir.path().join("home");
    let store = Releases::new(home.join("state/releases"));
    let refused = |path: &Path| match store.add(&rig.new_release(Some(path)), &mut go_on) {
        Err(ReleaseError::HoldsStore { .. }) => "holds",
        Err(ReleaseError::InStore { .. }) => "in",
        other => panic!("{other:?}"),
    };
    for (name, wanted) in [("", "holds"), ("state", "holds"), ("state/releases", "holds"), ("state/releases/x", "in")] {
        fs::create_dir_all(home.join(name)).unwrap();
        assert_eq!(refused(&home.join(name)), wanted, "{name}");
    }
    // by another path
    symlink("state", home.join("link")).unwrap();
    assert_eq!(refused(&home.join("link")), "holds");
    assert_eq!(refused(&home.join("state/../link/releases/../releases")), "holds");
    assert_eq!(fs::read_dir(home.join("state/releases")).unwrap().count(), 1);
    assert!(matches!(store.look_at(&rig.new_release(Some(&home)), &mut go_on), Err(ReleaseError::HoldsStore { .. })));

    // beside the store is fine, and so is a file of it
    fs::create_dir_all(home.join("state/shared/dist")).unwrap();
    let beside = store.add(&rig.new_release(Some(&home.join("state/shared/dist"))), &mut go_on).unwrap();
    fs::write(home.join("state/shared/app"), "1").unwrap();
    let file = store.add(&rig.new_release(Some(&home.join("state/shared/app"))), &mut go_on).unwrap();
    assert_eq!(store.add(&rig.new_release(Some(&store.artifact(&file).unwrap())), &mut go_on).unwrap(), file);
    assert_eq!(store.list().unwrap().releases.len(), 2, "{beside:?}");
}

#[test]
fn what_has_no_end_is_refused_before_it_is_opened() {
    let rig = Rig::new();
    let fifo = rig.dir.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o644.into(), 0).unwrap();
    let dir = rig.dir.path().join("dist");
    fs::create_dir(&dir).unwrap();
    fs::rename(&fifo, dir.join("fifo")).unwrap();
    for path in [dir.join("fifo"), dir, "/dev/zero".into()] {
        let error = rig.store.add(&rig.new_release(Some(&path)), &mut go_on).unwrap_err();
        assert!(matches!(error, ReleaseError::BadArtifact { .. }), "{error}");
    }
}

#[test]
fn no_right_of_a_program_comes_along() {
    let rig = Rig::new();
    let path = rig.dir.path().join("app");
    fs::write(&path, "1").unwrap();
    chmod(&path, 0o6755);
    // version 2, with CAP_NET_BIND_SERVICE
    let capability = [0, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let file = fs::File::open(&path).unwrap();
    let set = rustix::fs::fsetxattr(&file, "security.capability", &capability, rustix::fs::XattrFlags::empty());
    if set.is_err() {
        eprintln!("SKIPPED: only root gives capabilities to files");
    }
    let release = rig.store.add(&rig.new_release(Some(&path)), &mut go_on).unwrap();
    let copy = fs::File::open(rig.store.artifact(&release).unwrap()).unwrap();
    assert_eq!(copy.metadata().unwrap().mode() & 0o7777, 0o555);
    assert!(rustix::fs::fgetxattr(&copy, "security.capability", &mut [0_u8; 64]).is_err());
}

/// Of releases that 0.1.0 stored: what they are made of may not change.
#[test]
fn ids_are_as_they_always_were() {
    let rig = Rig::new();
    let root = rig.dir.path().join("dist");
    fs::create_dir_all(root.join("bin/empty")).unwrap();
    fs::write(root.join("bin/run"), "#!/bin/sh\n").unwrap();
    chmod(&root.join("bin/run"), 0o750);
    fs::write(root.join("page.html"), "hello").unwrap();
    symlink("bin/run", root.join("start")).unwrap();
    let id = |path: &Path| rig.store.add(&rig.new_release(Some(path)), &mut go_on).unwrap().id.as_str().to_owned();
    assert_eq!(id(&root), "277965b0cdcba017b85858b4ac2190663f2705f85bfebf8e51a1516ae9df38e5");
    assert_eq!(id(&root.join("page.html")), "6abe12fbe9c7ff64359e994d6d2dae0d7b9305baff8b5558d84f49dcc7e12a2f");
}
