//! The client against servers that misbehave.

mod common;

use std::{
    io::{Read as _, Write as _},
    process::Command,
    time::Duration,
};

use bluegreen_core::{Blind, HealthProbe, ProfileResolver, Template, Unhealthy};
use bluegreen_http::{BODY_LIMIT, Body, Client, HttpProbe, Options, ProfileEndpoint};
use common::{free_port, http, options, profiles, read_request, serve, serve_raw};
use tokio::{io::AsyncWriteExt, net::TcpStream};

async fn get(port: u16) -> Result<bluegreen_http::Answer, Unhealthy> {
    get_with(port, &options()).await
}

async fn get_with(port: u16, options: &Options) -> Result<bluegreen_http::Answer, Unhealthy> {
    Client::new(&format!("http://127.0.0.1:{port}/x?y=1"), options).unwrap().get().await
}

/// What the client says of a server that does `handle` after it has read the request.
async fn said<F>(handle: impl Fn(TcpStream) -> F + Send + Sync + Clone + 'static) -> Result<String, Unhealthy>
where
    F: Future<Output = ()> + Send + 'static,
{
    said_within(options(), handle).await
}

async fn said_within<F>(
    options: Options,
    handle: impl Fn(TcpStream) -> F + Send + Sync + Clone + 'static,
) -> Result<String, Unhealthy>
where
    F: Future<Output = ()> + Send + 'static,
{
    let address = serve_raw(move |mut stream| {
        let handle = handle.clone();
        async move {
            read_request(&mut stream).await;
            handle(stream).await;
        }
    })
    .await;
    get_with(address.port(), &options).await.map(|answer| answer.describe())
}

async fn for_ever(mut stream: TcpStream, head: &str, part: impl Into<String>, pause: u64) {
    let part = part.into();
    let _ = stream.write_all(head.as_bytes()).await;
    while stream.write_all(part.as_bytes()).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

#[tokio::test]
async fn nobody_listens() {
    assert!(matches!(get(free_port()).await, Err(Unhealthy::Refused(text)) if text.contains("refused")));
}

#[tokio::test]
async fn silence_and_slow_headers_end_at_the_timeout() {
    let short = || Options { timeout: Duration::from_secs(1), ..options() };
    let silent = said_within(short(), |stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    });
    assert_eq!(silent.await, Err(Unhealthy::NoAnswer("none within 1 s".into())));
    let slow = said_within(short(), |stream| for_ever(stream, "HTTP/1.1 200 OK\r\n", "X-Slow: 1\r\n", 20));
    assert_eq!(slow.await, Err(Unhealthy::NoAnswer("none within 1 s".into())));
    let slow_body = said_within(short(), |stream| for_ever(stream, "HTTP/1.1 200 OK\r\n\r\n", "x", 20));
    assert_eq!(slow_body.await, Err(Unhealthy::NoAnswer("none within 1 s".into())));
}

/// As of a tool that got SIGSTOP in the middle of a request: its time is over when it goes on, and the answer is there.
#[tokio::test]
async fn an_answer_that_came_while_we_were_stopped_is_not_missed() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, was_asked) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut asked = Some(asked);
        for mut stream in listener.incoming().map(Result::unwrap) {
            let _ = stream.read(&mut [0; 1024]);
            if let Some(asked) = asked.take() {
                asked.send(()).unwrap();
                std::thread::sleep(Duration::from_millis(200));
            }
            let _ = stream.write_all(http("200 OK", "here").as_bytes());
        }
    });
    // the only thread that this client has
    let stopped = tokio::spawn(async move {
        was_asked.await.unwrap();
        std::thread::sleep(Duration::from_secs(4));
    });
    let short = Options { timeout: Duration::from_secs(3), ..options() };
    assert_eq!(get_with(port, &short).await.unwrap().text(), "here");
    stopped.await.unwrap();
}

#[tokio::test]
async fn a_connection_that_breaks_is_no_answer() {
    let closed = said(|stream| async move { drop(stream) }).await;
    assert!(matches!(closed, Err(Unhealthy::NoAnswer(_))), "{closed:?}");
    let reset = said(|stream| async move {
        stream.set_zero_linger().unwrap();
        drop(stream);
    });
    let reset = reset.await;
    assert!(matches!(&reset, Err(Unhealthy::NoAnswer(text)) if text.contains("reset")), "{reset:?}");
    let cut = said(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal").await;
    });
    let cut = cut.await;
    assert!(matches!(cut, Err(Unhealthy::NoAnswer(_))), "{cut:?}");
}

#[tokio::test]
async fn an_endless_body_is_read_to_the_limit() {
    let part = "x".repeat(8 * 1024);
    let address = serve_raw(move |mut stream| {
        let part = part.clone();
        async move {
            read_request(&mut stream).await;
            for_ever(stream, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", part, 0).await;
        }
    });
    let answer = get(address.await.port()).await.unwrap();
    assert_eq!((answer.body.len(), answer.truncated), (BODY_LIMIT, true));
}

#[tokio::test]
async fn plain_http_never_says_that_tls_failed() {
    for garbage in ["zz\r\n", "ffffffffffffffffff\r\n", "1\r\nabc"] {
        let told = said(move |mut stream| async move {
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            let _ = stream.write_all(format!("{head}{garbage}").as_bytes()).await;
        });
        let told = told.await.unwrap_err().to_string();
        assert!(!told.contains("TLS"), "{told}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_sick() {
    let huge = said(|stream| for_ever(stream, "HTTP/1.1 200 OK\r\nX-Big: ", "y".repeat(8 * 1024), 0)).await;
    assert!(matches!(huge, Err(Unhealthy::Sick(_))), "{huge:?}");
    let many = said(|stream| for_ever(stream, "HTTP/1.1 200 OK\r\n", "X-Many: 1\r\n".repeat(100), 0)).await;
    assert!(matches!(many, Err(Unhealthy::Sick(_))), "{many:?}");
    let ssh = said(|stream| for_ever(stream, "SSH-2.0-OpenSSH_9.2\r\n", "", 1000)).await;
    assert!(matches!(ssh, Err(Unhealthy::Sick(_))), "{ssh:?}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let address = serve(|_, _| "HTTP/1.1 302 Found\r\nLocation: https://x.example/login\r\n\r\n".to_owned()).await;
    assert_eq!(get(address.port()).await.unwrap().describe(), "302 Found, redirects to https://x.example/login");
}

#[tokio::test]
async fn says_who_asks_and_uses_a_new_connection_each_time() {
    let address = serve(|request, number| http("200 OK", &format!("{number}\n{request}"))).await;
    let options = Options { connect: Some(address), ..options() };
    let client = Client::new("http://shop.example:8080/a?b", &options).unwrap();
    for number in 0..3 {
        let text = client.get().await.unwrap().text().to_lowercase();
        let agent = concat!("user-agent: bluegreen/", env!("CARGO_PKG_VERSION"));
        for part in
            [&format!("{number}\nget /a?b http/1.1"), "\r\nhost: shop.example:8080\r\n", agent, "accept: */*\r\n"]
        {
            assert!(text.contains(part), "{part:?} in {text}");
        }
        assert!(!text.contains("encoding"), "{text}");
    }
}

#[tokio::test]
async fn a_proxy_in_the_environment_does_not_matter() {
    if std::env::var_os("HTTP_PROXY").is_none() {
        // once more in a process whose environment has one, where nobody listens
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "a_proxy_in_the_environment_does_not_matter"]);
        for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            again.env(name, format!("http://127.0.0.1:{}", free_port()));
        }
        let output = again.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let address = serve(|_, _| http("200 OK", "direct")).await;
    assert_eq!(get(address.port()).await.unwrap().text(), "direct");
}

#[tokio::test]
async fn the_probe_asks_the_profile_on_its_own_port() {
    let answer = |request: &str, _| {
        let (status, body) = match request.split(' ').nth(1) {
            Some("/real1") => ("200 OK", "I am real1"),
            _ => ("503 Service Unavailable", "database starting"),
        };
        http(status, body)
    };
    let profiles = profiles(serve(answer).await.port(), serve(answer).await.port());
    let url = Template::parse("http://127.0.0.1:{port}/{profile}").unwrap();
    let probe = HttpProbe::new(&"shop".parse().unwrap(), &profiles, &url, &options()).unwrap();
    assert_eq!(probe.check(profiles.first()).await, Ok(()));
    let sick = probe.check(profiles.second()).await;
    assert_eq!(sick, Err(Unhealthy::Sick("503 Service Unavailable: database starting".into())));

    let probe = probe.status("200,503".parse().unwrap()).body(Body::Text(Template::parse("{profile}").unwrap()));
    assert_eq!(probe.check(profiles.first()).await, Ok(()));
    assert!(
        matches!(probe.check(profiles.second()).await, Err(Unhealthy::Sick(text)) if text.ends_with("(expected the text \"real2\")"))
    );
}

#[tokio::test]
async fn the_profile_endpoint_takes_a_name_and_nothing_else() {
    let profiles = profiles(8081, 8082);
    let ask = async |answer: &'static str| {
        let address = serve(move |_, _| answer.to_owned()).await;
        let client = Client::new(&format!("http://{address}/profile"), &options()).unwrap();
        ProfileEndpoint::new(client, &profiles).resolve().await
    };
    let traffic = ask("HTTP/1.1 200 OK\r\n\r\nreal2\n").await.unwrap();
    let route = traffic.route().unwrap();
    assert_eq!((route.active.port(), &route.standby), (8082, &None));
    for bad in ["HTTP/1.1 404 Not Found\r\n\r\nreal2", "HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\nreal2"] {
        assert!(matches!(ask(bad).await, Err(Blind::Route(_))), "{bad}");
    }
}
