use super::*;
use crate::reload::address::render;

fn text(port: u16) -> String {
    render(&format!("http://127.0.0.1:{port}"))
}

fn says(port: u16) -> Says {
    parse(&text(port))
}

#[tokio::test]
async fn is_replaced_where_the_link_leads_with_its_mode() {
    let dir = tempfile::tempdir().unwrap();
    let (real, link) = (dir.path().join("real.inc"), dir.path().join("service-url.inc"));
    fs::write(&real, text(8081)).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("real.inc", &link).unwrap();
    let old = SystemTime::now() - std::time::Duration::from_secs(3600);

    let file = IncludeFile::new(&link);
    file.write(&text(8082), Some(old)).await.unwrap();
    assert_eq!(file.read().unwrap(), says(8082));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let metadata = fs::metadata(&real).unwrap();
    assert_eq!((metadata.permissions().mode() & 0o7777, metadata.modified().unwrap()), (0o640, old));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[tokio::test]
async fn is_installed_by_a_command_that_must_do_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("service-url.inc");
    fs::write(&path, text(8081)).unwrap();
    let with = |command: &str| IncludeFile::new(&path).install_with(vec![command.to_owned()]);
    with("cp").write(&text(8082), None).await.unwrap();
    assert_eq!(with("cp").read().unwrap(), says(8082));
    for (command, reason) in [("false", "failed: exit status: 1"), ("true", "left something else there")] {
        let error = with(command).write(&text(8081), None).await.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_missing_file_is_its_own_error() {
    assert!(matches!(IncludeFile::new("/nonexistent/x.inc").read(), Err(IncludeError::Missing(_))));
}
