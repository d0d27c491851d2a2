use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt as _, chown, lchown, symlink},
    path::{Path, PathBuf},
};

use super::{below::Way, walk::walk, *};

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
        assert_eq!(path("a/file/x").unwrap_err().kind(), std::io::ErrorKind::NotADirectory);
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
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(std::sync::atomic::Ordering::Relaxed) {
                let exchange = rustix::fs::RenameFlags::EXCHANGE;
                rustix::fs::renameat_with(rustix::fs::CWD, &x, rustix::fs::CWD, &y, exchange).unwrap();
            }
        });
        for way in BOTH {
            for _ in 0..500 {
                let (reached, _) = walk(way, &x.join("shop")).unwrap();
                assert!(reached.hands().iter().any(|hand| hand.who == Who::User(4711)));
                assert_eq!(reached.follows_others(), reached.path() == ground.at("roots"));
            }
        }
        over.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}
