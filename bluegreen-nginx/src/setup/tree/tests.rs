use super::*;

/// A tree of these files, the first one `nginx.conf`.
fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
    let home = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (name, text) in files {
        let path = home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        paths.push(path);
    }
    let tree = Tree::read(paths, None).unwrap();
    (home, tree)
}

#[test]
fn finds_where_each_way_of_writing_it_goes() {
    let (_home, tree) = tree(&[
        (
            "nginx.conf",
            "http { include conf.d/*.conf; server { include conf.d/service-url.inc; location / { proxy_pass $service_url; } } }
             stream { server { proxy_pass 127.0.0.1:8081; } }",
        ),
        ("conf.d/service-url.inc", "set $service_url http://127.0.0.1:8082;"),
        (
            "conf.d/site.conf",
            "upstream one { server 127.0.0.1:8081 max_fails=2; } upstream two { server 127.0.0.1:1; server 127.0.0.1:2; }
             server { location / { location /x { proxy_pass http://one; } } }",
        ),
    ]);
    let targets: Vec<_> = tree.passes().iter().map(|p| (p.file, tree.target(p.directive.arg()))).collect();
    assert_eq!(targets, [(0, Some((8082, String::new()))), (2, Some((8081, String::new())))]);
    assert_eq!(tree.passes()[1].blocks.iter().map(|b| b.arg()).collect::<Vec<_>>(), ["", "/", "/x"]);
    assert_eq!(tree.target("http://localhost:8080/api/"), Some((8080, "/api/".into())));
    for elsewhere in ["http://two", "https://127.0.0.1:8081", "http://example.org", "$unknown", "http://unix:/x.sock"] {
        assert_eq!(tree.target(elsewhere), None, "{elsewhere}");
    }
}

#[test]
fn a_variable_may_be_the_name_of_a_group() {
    let text = "http { upstream blue { server 127.0.0.1:8081; } server { set $colour blue; set $x a; set $x b; } }";
    let (_home, tree) = tree(&[("nginx.conf", text)]);
    assert_eq!(tree.target("http://$colour"), Some((8081, String::new())));
    for unknown in ["$colour", "https://$colour", "http://$colour$request_uri", "http://$x", "http://a$colour"] {
        assert_eq!(tree.target(unknown), None, "{unknown}");
    }
}

#[test]
fn follows_includes_for_what_is_set() {
    let (home, tree) = tree(&[
        ("nginx.conf", "http { server { location / { include proxy_params; proxy_http_version 1.1; } } }"),
        ("proxy_params", "proxy_set_header Host $http_host;"),
    ]);
    let set = tree.settings(tree.servers()[0].directive.inner()[0].inner());
    assert!(set.contains(&("proxy_set_header".into(), Some("host".into()))));
    assert!(set.contains(&("proxy_http_version".into(), None)));
    let location = tree.servers()[0].directive.inner()[0].inner();
    assert!(tree.include_of(location, &home.path().join("proxy_params")).is_some());
}

#[test]
fn a_pattern_is_of_one_directory() {
    let is_of = |pattern: &str, path: &str| matches(Path::new(pattern), Path::new(path));
    assert!(is_of("/e/conf.d/*.conf", "/e/conf.d/a.conf"));
    assert!(is_of("/e/sites/*", "/e/sites/a"));
    assert!(!is_of("/e/conf.d/*.conf", "/e/conf.d/a.inc"));
    assert!(!is_of("/e/*.conf", "/e/conf.d/a.conf"));
}

#[test]
fn a_file_that_only_sets_an_unused_variable_is_found() {
    let unused = |more: &str, uses| {
        let main = format!("http {{ server {{ include url.inc; location / {{ proxy_pass $url; }} {more} }} }}");
        let (_home, tree) = tree(&[("nginx.conf", &main), ("url.inc", "set $url http://127.0.0.1:8081;")]);
        tree.only_for("$url", uses).len()
    };
    assert_eq!(unused("", 1), 1);
    for used in ["location /b { proxy_pass $url; }", "add_header X $url;", "set $more ${url}/b;"] {
        assert_eq!(unused(used, 1), 0, "{used}");
    }
}

#[test]
fn what_is_included_by_the_name_of_a_link_is_included() {
    let (home, _) = tree(&[("nginx.conf", "http { }"), ("conf.d/x", "")]);
    let (real, link) = (home.path(), home.path().join("link"));
    std::os::unix::fs::symlink(real, &link).unwrap();
    let ours = real.join("conf.d/bluegreen-shop.conf");
    assert!(matches(&link.join("conf.d/*.conf"), &ours) && matches(&real.join("conf.d/*.conf"), &ours));
    assert!(!matches(&link.join("conf.d/*.inc"), &ours) && !matches(&link.join("other.d/*.conf"), &ours));
}
