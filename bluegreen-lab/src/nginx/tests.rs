use std::io::{Read, Write};

use super::*;

fn says(word: &str) -> Site {
    Site { location: format!("return 200 \"{word}\";"), ..Site::default() }
}

fn ask(nginx: &Nginx) -> io::Result<String> {
    let mut stream = TcpStream::connect(nginx.address())?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text.rsplit('\n').next().unwrap_or_default().to_owned())
}

/// The binaries to test with: the machine's, and a newer one that `BLUEGREEN_TEST_NGINX` names.
fn binaries() -> Vec<PathBuf> {
    let newest = env::var_os("BLUEGREEN_TEST_NGINX").map(PathBuf::from);
    let found: Vec<_> = Nginx::find().into_iter().chain(newest).collect();
    if found.is_empty() {
        eprintln!("SKIPPED: no nginx on this machine");
    }
    found
}

#[test]
fn starts_reloads_and_leaves_nothing_behind() {
    for binary in binaries() {
        let nginx = Nginx::start(&binary, &says("one")).unwrap();
        assert_eq!(ask(&nginx).unwrap(), "one");
        assert_eq!(fs::read_to_string(nginx.prefix().join("nginx.pid")).unwrap().trim(), nginx.pid().to_string());

        nginx.write(&says("two")).unwrap();
        nginx.reload().unwrap();
        assert_eq!(ask(&nginx).unwrap(), "two");
        assert_eq!(nginx.workers().unwrap().len(), 2);

        let (prefix, address) = (nginx.prefix().to_owned(), nginx.address());
        drop(nginx);
        assert!(!prefix.exists());
        assert!(TcpStream::connect(address).is_err());
    }
}

#[test]
fn serves_the_articles_include_file() {
    for binary in binaries() {
        let backend = Nginx::start(&binary, &says("real1")).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let include = dir.path().join("service-url.inc");
        fs::write(&include, format!("set $service_url http://{};", backend.address())).unwrap();
        let front = Nginx::start(&binary, &Site::article(&include)).unwrap();
        assert_eq!(ask(&front).unwrap(), "real1");
    }
}

#[test]
fn says_what_nginx_says() {
    for binary in binaries() {
        let nonsense = Site { server: "nonsense;".to_owned(), ..Site::default() };
        let error = Nginx::start(&binary, &nonsense).unwrap_err().to_string();
        assert!(error.contains("unknown directive \"nonsense\""), "{error}");

        let mut nginx = Nginx::start(&binary, &says("one")).unwrap();
        nginx.write(&nonsense).unwrap();
        assert!(nginx.reload().unwrap_err().to_string().contains("nonsense"));
        assert_eq!(ask(&nginx).unwrap(), "one");
        nginx.stop().unwrap();
        assert!(ask(&nginx).is_err());
        nginx.stop().unwrap();
    }
}
