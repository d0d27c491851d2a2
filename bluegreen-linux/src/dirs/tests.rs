use std::{
    fs::{self, Permissions},
    io::ErrorKind,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{below::Way, walk::walk, *};
use crate::users::User;

const BOTH: [Way; 2] = [Way::Best, Way::Plain];

struct Ground {
    dir: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// Without links, as the system may have its temporary directory behind one.
    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    fn dir(&self, name: &str, mode: u32, owner: u32) {
        fs::create_dir(self.at(name)).unwrap();
        fs::set_permissions(self.at(name), Permissions::from_mode(mode)).unwrap();
        self.give(name, owner);
    }

    fn link(&self, name: &str, target: impl AsRef<Path>, owner: u32) {
        symlink(target, self.at(name)).unwrap();
        self.give(name, owner);
    }

    fn give(&self, name: &str, owner: u32) {
        if owner != 0 {
            lchown(self.at(name), Some(owner), None).unwrap();
        }
    }

    /// Others may pass through the test's own directory.
    fn pass(&self) {
        fs::set_permissions(self.dir.path(), Permissions::from_mode(0o755)).unwrap();
    }

    /// Who is named in this directory of the test's own.
    fn who(&self, way: Way, name: &str) -> Vec<(String, Who)> {
        let (reached, _) = walk(way, &self.at(name)).unwrap();
        let base = self.at("");
        let here = |hand: &Hand| Some((hand.path.strip_prefix(&base).ok()?.to_str()?.to_owned(), hand.who));
        reached.hands().iter().filter_map(here).collect()
    }
}

fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        eprintln!("SKIPPED: only root gives directories away");
    }
    is_root
}

#[test]
fn a_path_leads_where_the_kernel_says() {
    let ground = Ground::new();
    fs::create_dir_all(ground.at("a/b/c")).unwrap();
    ground.link("a/up", "../a/b", 0);
    ground.link("away", ground.at("a/up/../b"), 0);
    ground.link("loop", "loop", 0);
    fs::write(ground.at("a/file"), "").unwrap();
    for way in BOTH {
        let path = |name: &str| walk(way, &ground.at(name)).map(|(reached, _)| reached.path().to_owned());
        for name in ["a", "a/b/c", "a/./b/../b", "a/up", "a/up/c", "away/c", "away/../up"] {
            assert_eq!(path(name).unwrap(), ground.at(name).canonicalize().unwrap(), "{name}");
        }
        assert_eq!(path("a/file/x").unwrap_err().kind(), ErrorKind::NotADirectory);
        let eloop = rustix::io::Errno::LOOP.raw_os_error();
        assert_eq!(path("loop").unwrap_err().raw_os_error(), Some(eloop));
        let (reached, file) = walk(way, &ground.at("a/b/none/more")).unwrap();
        assert_eq!((reached.path(), file), (&*ground.at("a/b"), None));
        assert_eq!(reached.missing(), ["none", "more"]);
        assert!(reached.into_dir().is_err());
        let (reached, file) = walk(way, &ground.at("a/up/../file")).unwrap();
        assert_eq!((reached.path(), file), (&*ground.at("a"), Some("file".into())));
    }
    assert!(reach(&ground.at("a/file")).is_err());
}

#[test]
fn who_could_lead_the_way_elsewhere_is_named() {
    if !is_root() {
        return;
    }
    let ground = Ground::new();
    ground.dir("roots", 0o755, 0);
    ground.dir("roots/in", 0o755, 0);
    ground.dir("theirs", 0o755, 4711);
    ground.dir("theirs/in", 0o755, 0);
    ground.dir("open", 0o777, 0);
    ground.dir("open/in", 0o755, 0);
    ground.dir("group", 0o775, 0);
    chown(ground.at("group"), None, Some(4712)).unwrap();
    ground.dir("group/in", 0o755, 0);
    ground.dir("sticky", 0o1777, 0);
    ground.dir("sticky/in", 0o755, 0);
    ground.dir("sticky/theirs", 0o755, 4711);
    ground.link("fine", "roots/in", 0);
    ground.link("sticky/fine", "../roots/in", 0);
    ground.link("bad", "roots/in", 4711);
    ground.link("theirs/link", "../roots/in", 0);
    let user = |at: &str| (at.to_owned(), Who::User(4711));
    for way in BOTH {
        let who = |name: &str| ground.who(way, name);
        for fine in ["roots/in", "fine", "sticky/in", "sticky/fine", "theirs", "roots/none"] {
            assert_eq!(who(fine), [], "{fine}");
        }
        assert_eq!(who("theirs/in"), [user("theirs")]);
        assert_eq!(who("theirs/none"), [user("theirs")]);
        assert_eq!(who("sticky/theirs"), [user("sticky")]);
        assert_eq!(who("sticky/none"), [("sticky".into(), Who::Everybody)]);
        assert_eq!(who("open/in"), [("open".into(), Who::Everybody)]);
        assert_eq!(who("group/in"), [("group".into(), Who::Group(4712))]);
        assert_eq!(who("bad"), [user("bad")]);
        assert_eq!(who("theirs/link"), [user("theirs")]);
        let follows = |name: &str| walk(way, &ground.at(name)).unwrap().0.follows_others();
        for name in ["fine", "sticky/fine", "theirs/in"] {
            assert!(!follows(name), "{name}");
        }
        assert!(follows("bad") && follows("theirs/link"));
    }
    let reached = reach(&ground.at("theirs/in")).unwrap();
    assert_eq!(reached.other_than(&[4711]), None);
    assert_eq!(
        reached.other_than(&[4713]).unwrap().fix(),
        format!("sudo chown root {}", ground.at("theirs").display())
    );
}

/// Whoever owns a directory on the way exchanges it all the time: what is held is one of the two, and the hands say whose.
#[test]
fn a_link_that_is_exchanged_meanwhile_is_never_taken_for_roots() {
    if !is_root() {
        return;
    }
    let ground = Ground::new();
    ground.dir("theirs", 0o755, 4711);
    ground.dir("theirs/x", 0o755, 4711);
    ground.dir("roots", 0o755, 0);
    ground.link("theirs/y", ground.at("roots"), 4711);
    let (x, y) = (ground.at("theirs/x"), ground.at("theirs/y"));
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Relaxed) {
                renameat_with(CWD, &x, CWD, &y, RenameFlags::EXCHANGE).unwrap();
            }
        });
        for way in BOTH {
            for _ in 0..500 {
                let (reached, _) = walk(way, &x.join("shop")).unwrap();
                assert!(reached.hands().iter().any(|hand| hand.who == Who::User(4711)));
                assert_eq!(reached.follows_others(), reached.path() == ground.at("roots"));
            }
        }
        over.store(true, Relaxed);
    });
}

fn owner() -> User {
    User::by_number(4711, 4711)
}

fn owner_and_mode(path: &Path) -> (u32, u32, u32) {
    let meta = fs::symlink_metadata(path).unwrap();
    (meta.uid(), meta.gid(), meta.mode() & 0o7777)
}

#[test]
fn only_what_was_made_is_given_away() {
    if !is_root() {
        return;
    }
    let ground = Ground::new();
    ground.dir("roots", 0o755, 0);
    ground.link("link", "roots", 0);
    let make = |name: &str| reach(&ground.at(name)).unwrap().make(0o711, &owner());
    make("link/more/shop").unwrap();
    assert_eq!(owner_and_mode(&ground.at("roots/more/shop")), (4711, 4711, 0o711));
    assert_eq!(owner_and_mode(&ground.at("roots/more")), (0, 0, 0o755));
    assert_eq!(owner_and_mode(&ground.at("roots")), (0, 0, 0o755));
    assert_eq!(fs::read_dir(ground.at("roots/more")).unwrap().count(), 1);
    // nothing is missing: nothing is made, and nothing given
    make("roots").unwrap();
    assert_eq!(owner_and_mode(&ground.at("roots")), (0, 0, 0o755));
}

#[test]
fn below_a_directory_of_the_owner_the_owner_makes_it() {
    if !is_root() {
        return;
    }
    let ground = Ground::new();
    ground.pass();
    ground.dir("theirs", 0o755, 4711);
    ground.dir("roots", 0o755, 0);
    ground.link("theirs/x", ground.at("roots"), 4711);
    let make = |name: &str| reach(&ground.at(name)).unwrap().make(0o711, &owner());
    make("theirs/more/shop").unwrap();
    assert_eq!(owner_and_mode(&ground.at("theirs/more/shop")), (4711, 4711, 0o711));
    assert_eq!(owner_and_mode(&ground.at("theirs/more")), (4711, 4711, 0o755));
    // where they have no right, they have none through root either
    let error = make("theirs/x/shop").unwrap_err();
    assert!(matches!(&error, MakeError::Io { why, .. } if why.kind() == ErrorKind::PermissionDenied), "{error}");
    assert_eq!(fs::read_dir(ground.at("roots")).unwrap().count(), 0);
}

#[test]
fn below_a_directory_of_somebody_else_nothing_is_made() {
    if !is_root() {
        return;
    }
    let ground = Ground::new();
    ground.dir("theirs", 0o755, 4712);
    ground.dir("open", 0o777, 0);
    for (name, who) in [("theirs/shop", Who::User(4712)), ("open/shop", Who::Everybody)] {
        match reach(&ground.at(name)).unwrap().make(0o711, &owner()) {
            Err(MakeError::Hand(hand)) => assert_eq!(hand.who, who),
            made => panic!("{made:?}"),
        }
        assert!(!ground.at(name).exists());
    }
}

/// The owner of `x` exchanges it for a link to a directory of root's, as fast as that goes: nothing of root's becomes theirs.
#[test]
fn a_race_with_root_is_lost_every_time() {
    if !is_root() {
        return;
    }
    let ground = Ground::new();
    ground.pass();
    ground.dir("roots", 0o755, 0);
    ground.dir("theirs", 0o755, 4711);
    ground.dir("theirs/x", 0o755, 4711);
    ground.link("theirs/y", ground.at("roots"), 4711);
    let (x, y) = (ground.at("theirs/x"), ground.at("theirs/y"));
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Relaxed) {
                renameat_with(CWD, &x, CWD, &y, RenameFlags::EXCHANGE).unwrap();
            }
        });
        for n in 0..300 {
            // reached while it was theirs or while it was a link: both end without anything of root's given away
            let _ = reach(&x.join(format!("shop-{n}"))).unwrap().make(0o711, &owner());
        }
        over.store(true, Relaxed);
    });
    assert_eq!(owner_and_mode(&ground.at("roots")), (0, 0, 0o755));
    assert_eq!(fs::read_dir(ground.at("roots")).unwrap().count(), 0);
    let made: Vec<_> = [&x, &y].into_iter().flat_map(|dir| fs::read_dir(dir).unwrap()).collect();
    assert!(!made.is_empty(), "some were made");
    for entry in made {
        assert_eq!(owner_and_mode(&entry.unwrap().path()), (4711, 4711, 0o711));
    }
}

#[test]
fn what_is_missing_below_a_directory_of_the_system_is_given_to_nobody() {
    let fits = |path: &str, uid| {
        let owner = User { uid, ..User::by_number(424_242, 424_242) };
        reach(Path::new(path)).unwrap().fits(&owner, |_| false).unwrap()
    };
    for path in ["/etc/bluegreen-no-such/x", "/usr/local/sbin/bluegreen-no-such", "/usr/lib/bluegreen-no-such"] {
        assert_eq!([fits(path, 424_242), fits(path, 0)], [Err(NoPlace::System), Err(NoPlace::System)], "{path}");
    }
    assert_eq!(fits("/var/lib/bluegreen-no-such/shop", 424_242), Ok(()));
    if is_root() {
        let home = "/root/NO-SUCH-PLACE";
        assert_eq!([fits(home, 424_242), fits(home, 0)], [Err(NoPlace::System), Ok(())]);
    }
}

#[test]
fn whom_an_access_list_lets_write_to_a_directory_is_named() {
    let ground = Ground::new();
    ground.dir("listed", 0o755, 0);
    ground.dir("listed/in", 0o755, 0);
    if crate::access_list(&ground.at("listed")) {
        let named = ("listed".to_owned(), Who::Everybody);
        assert!(BOTH.iter().all(|way| ground.who(*way, "listed/in").contains(&named)));
    }
}

#[test]
fn a_directory_that_is_full_of_other_things_is_no_place_whoever_owns_it() {
    if !is_root() {
        return;
    }
    let ground = Ground::new();
    let fits = |name: &str| reach(&ground.at(name)).unwrap().fits(&owner(), |name| name == "state.json").unwrap();
    for (name, file, fit) in
        [("site", "index.html", Err(NoPlace::Full)), ("state", "state.json", Ok(())), ("disk", "lost+found", Ok(()))]
    {
        ground.dir(name, 0o755, 4711);
        assert_eq!(fits(name), Ok(()), "it is empty");
        fs::write(ground.at(name).join(file), "").unwrap();
        assert_eq!(fits(name), fit, "{name}");
    }
}
