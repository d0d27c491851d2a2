use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
};

use bluegreen_core::{Profile, Profiles, Route};
use bluegreen_http::Options;

use super::*;

/// A server that gives these answers, one per connection.
fn served(answers: Vec<String>) -> ProofLocation {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 2048];
            let n = stream.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..n]).into_owned();
            assert!(request.starts_with("GET /.well-known/bluegreen/shop HTTP/1.1\r\n"));
            assert!(request.contains("host: shop.example\r\n"), "{request}");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    at(address)
}

fn at(address: SocketAddr) -> ProofLocation {
    let options = Options { connect: Some(address), ..Options::default() };
    ProofLocation::new("http://shop.example/health?deep=1", &"shop".parse().unwrap(), &options).unwrap()
}

fn profiles() -> Profiles {
    let profile = |name: &str, port| Profile::new(name.parse().unwrap(), port).unwrap();
    Profiles::new(profile("real1", 8081), profile("real2", 8082)).unwrap()
}

fn answer(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nContent-Type: text/plain\r\n\r\n{body}")
}

fn proof(group: &str) -> String {
    answer(200, &format!("bluegreen 1 shop real1=8081 real2=8082 {group}\n"))
}

/// What is resolved when nginx gives these answers and `live` names real1 without standby.
async fn resolve(answers: Vec<String>) -> Result<Traffic, Blind> {
    let home = tempfile::tempdir().unwrap();
    let route = RouteDir::new(home.path().join("route"), profiles()).unwrap();
    route.create().unwrap();
    route.point(&Route::solo(route.profiles().first().clone())).unwrap();
    MarkerResolver::new("shop".parse().unwrap(), route, served(answers)).resolve().await
}

fn text(error: &Blind) -> String {
    error.to_string()
}

#[tokio::test]
async fn answers_when_all_agree() {
    assert_eq!(resolve(vec![proof("shop.real1.solo"); 4]).await.unwrap().to_string(), "real1 solo");
}

/// A server that answers nobody until all four have asked: one after the other would wait in vain.
#[tokio::test]
async fn asks_for_all_answers_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let streams: Vec<_> = (0..4).map(|_| listener.accept().unwrap().0).collect();
        for mut stream in streams {
            let mut request = [0; 2048];
            assert!(stream.read(&mut request).unwrap() > 0);
            stream.write_all(proof("shop.real1").as_bytes()).unwrap();
        }
    });
    let route = RouteDir::new("/nowhere", profiles()).unwrap();
    let resolver = MarkerResolver::new("shop".parse().unwrap(), route.clone(), at(address));
    assert_eq!(resolver.resolve().await, Ok(route.fallback().into()));
}

#[tokio::test]
async fn one_dissenting_worker_is_enough_to_not_know() {
    let mut answers = vec![proof("shop.real1.solo"); 3];
    answers.push(proof("shop.real2.solo"));
    assert!(text(&resolve(answers).await.unwrap_err()).contains("differ"));
}

#[tokio::test]
async fn file_and_effect_must_be_the_same() {
    let error = text(&resolve(vec![proof("shop.real1"); 4]).await.unwrap_err());
    assert!(error.contains("says real1 solo, nginx says real1 with real2 as standby"), "{error}");
}

#[tokio::test]
async fn other_pages_are_not_a_proof() {
    let login = "HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n".to_owned();
    for page in [answer(404, "nope"), answer(200, "<html>"), answer(403, ""), answer(502, ""), login] {
        let traffic = resolve(vec![page; 4]).await;
        assert!(matches!(&traffic, Ok(Traffic::NotSetUp(text)) if text.contains("has no proof of shop")));
    }
    // a limit of nginx's may stand before the proof
    for page in [answer(429, ""), answer(503, "")] {
        assert!(matches!(resolve(vec![page; 4]).await, Err(Blind::Route(_))));
    }
    assert!(matches!(resolve(vec!["garbage".into(); 4]).await, Err(Blind::Route(_))));
}

#[tokio::test]
async fn a_redirect_is_named_with_where_it_leads() {
    let moved = "HTTP/1.1 301 Moved\r\nLocation: https://shop.example/.well-known/bluegreen/shop\r\n\r\n";
    let error = text(&resolve(vec![moved.into(); 4]).await.unwrap_err());
    assert!(error.contains("redirects to https://shop.example,"), "{error}");
}

#[tokio::test]
async fn nobody_there() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let route = RouteDir::new("/nowhere", profiles()).unwrap();
    let resolver = MarkerResolver::new("shop".parse().unwrap(), route, at(gone));
    assert!(text(&resolver.resolve().await.unwrap_err()).contains(&format!("nginx does not answer on {gone}")));
}
