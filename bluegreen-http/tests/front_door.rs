//! Who answers at the front door?

mod common;

use std::net::SocketAddr;

use bluegreen_core::{Answer, FrontDoor as _, Profiles};
use bluegreen_http::{FrontDoor, Options};
use common::{free_port, http, options, profiles, serve};

/// A front door that gives `door`'s answer, in front of two profiles that give theirs.
async fn door(door: &'static str, first: &'static str, second: &'static str) -> (FrontDoor, Profiles) {
    let profiles = profiles(fixed(first).await.port(), fixed(second).await.port());
    (at(fixed(door).await, &profiles), profiles)
}

fn at(address: SocketAddr, profiles: &Profiles) -> FrontDoor {
    let options = Options { connect: Some(address), ..options() };
    FrontDoor::new("http://shop.example/health?deep", profiles, &options).unwrap()
}

async fn fixed(answer: &'static str) -> SocketAddr {
    serve(move |request, _| {
        // everybody is asked for the same thing in the same name
        let asked =
            request.starts_with("GET /health?deep ") && request.to_lowercase().contains("host: shop.example\r\n");
        let answer = if asked { answer } else { "400 Bad Request|" };
        let (status, body) = answer.split_once('|').unwrap();
        http(status, body)
    })
    .await
}

#[tokio::test]
async fn the_same_answer_is_this_profile() {
    let (door, profiles) = door("200 OK|v1", "200 OK|v1", "200 OK|v2").await;
    assert_eq!(door.ask(profiles.first()).await, Answer::Release);
    let other = door.ask(profiles.second()).await;
    assert_eq!(other, Answer::Beside { status: 200, says: "real1 did: 200 OK: v1".into() });
    assert!(!other.is_lost());
}

#[tokio::test]
async fn two_releases_with_the_same_answer_are_both_fine() {
    let (door, profiles) = door("200 OK|hello", "200 OK|hello", "200 OK|hello").await;
    assert_eq!(door.ask(profiles.first()).await, Answer::Release);
    assert_eq!(door.ask(profiles.second()).await, Answer::Release);
}

#[tokio::test]
async fn a_stranger_is_not_a_proof() {
    let (door, profiles) = door("200 OK|Welcome to nginx!", "200 OK|v1", "200 OK|v2").await;
    let Answer::Other { says: text, .. } = door.ask(profiles.first()).await else { panic!() };
    assert!(text.contains("Welcome to nginx!") && text.contains("real1 itself says 200 OK: v1"), "{text}");
}

#[tokio::test]
async fn whose_an_error_is_is_told_as_far_as_it_is_known() {
    let ask = async |at_the_door, own| {
        let (door, profiles) = door(at_the_door, own, "200 OK|v2").await;
        door.ask(profiles.first()).await
    };
    let says = |text: &str| text.to_owned();
    let gateway = ask("502 Bad Gateway|", "200 OK|v1").await;
    assert_eq!(gateway, Answer::Gateway { status: 502, says: says("502 Bad Gateway") });
    assert!(gateway.is_lost());
    let own = ask("500 Internal Server Error|x", "500 Internal Server Error|x").await;
    assert_eq!(own, Answer::Sick { status: 500, says: says("500 Internal Server Error: x") });
    let somebody = ask("500 Internal Server Error|x", "200 OK|v1").await;
    assert!(matches!(somebody, Answer::Other { status: 500, .. }) && somebody.is_lost(), "{somebody:?}");
    // a limit of nginx's own is no answer of the release, and the same page of the release itself is
    for limit in ["503 Service Unavailable|", "429 Too Many Requests|"] {
        let limited = ask(limit, "200 OK|v1").await;
        assert!(matches!(limited, Answer::Limited(_)) && !limited.is_lost(), "{limited:?}");
    }
    let busy = ask("503 Service Unavailable|", "503 Service Unavailable|").await;
    assert!(matches!(busy, Answer::Sick { status: 503, .. }), "{busy:?}");
    for page in ["401 Unauthorized|", "403 Forbidden|"] {
        assert!(matches!(ask(page, "200 OK|v1").await, Answer::Other { .. }), "{page}");
    }
}

/// A failover of the proxy's: users are well, and the profile is not.
#[tokio::test]
async fn who_stands_in_hides_no_failure() {
    let (of_the_door, own, beside) = ("200 OK|v2", "500 Internal Server Error|x", "200 OK|v2");
    let (sick, profiles_of_it) = door(of_the_door, own, beside).await;
    let says = "real2 answered in place of real1: 500 Internal Server Error: x".into();
    let answer = sick.ask(profiles_of_it.first()).await;
    assert_eq!(answer, Answer::Gateway { status: 200, says });
    assert!(!answer.is_lost());
    let profiles = profiles(free_port(), fixed(beside).await.port());
    let silent = at(fixed(of_the_door).await, &profiles).ask(profiles.first()).await;
    let Answer::Gateway { status: 200, says } = silent else { panic!("{silent:?}") };
    assert!(says.starts_with("real2 answered in place of real1: nobody listens"), "{says}");
    // a page of somebody else, as of a cache, says nothing
    let cached = at(fixed("200 OK|v0").await, &profiles).ask(profiles.first()).await;
    assert!(matches!(cached, Answer::Other { status: 200, .. }), "{cached:?}");
}

#[tokio::test]
async fn a_redirect_is_not_a_proof() {
    let own = serve(|_, _| http("200 OK", "v1")).await;
    let door_address =
        serve(|_, _| "HTTP/1.1 301 Moved Permanently\r\nLocation: https://shop.example/\r\n\r\n".to_owned()).await;
    let profiles = profiles(own.port(), free_port());
    let Answer::Other { says: text, .. } = at(door_address, &profiles).ask(profiles.first()).await else { panic!() };
    assert!(text.contains("redirects to https://shop.example/"), "{text}");
}

#[tokio::test]
async fn an_answer_that_changes_is_compared_by_its_kind() {
    let count = |_: &str, number: usize| http("200 OK", &format!("request {number}"));
    let profiles = profiles(serve(count).await.port(), free_port());
    let door_address = serve(|_, _| http("200 OK", "request 999")).await;
    assert_eq!(at(door_address, &profiles).ask(profiles.first()).await, Answer::Release);
    let other_kind = serve(|_, _| http("404 Not Found", "request 999")).await;
    assert!(matches!(at(other_kind, &profiles).ask(profiles.first()).await, Answer::Other { .. }));
}

#[tokio::test]
async fn a_profile_that_is_down_did_not_answer() {
    let profiles = profiles(free_port(), free_port());
    let door_address = serve(|_, _| http("200 OK", "v1")).await;
    let Answer::Other { says: text, .. } = at(door_address, &profiles).ask(profiles.first()).await else { panic!() };
    assert!(text.contains("real1 itself: nobody listens"), "{text}");
    let nobody = SocketAddr::from(([127, 0, 0, 1], free_port()));
    assert!(matches!(at(nobody, &profiles).ask(profiles.first()).await, Answer::Down(_)));
}
