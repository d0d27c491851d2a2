use tokio::{io::AsyncReadExt, sync::oneshot, task::JoinHandle};

use super::*;

fn options() -> Options {
    Options { port: 0, profile: "real1".into(), version: "v1".into(), artifact: None, boot_ms: 0, fault: None }
}

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<io::Result<()>>,
}

async fn run(options: Options) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let app = App::new(options, SystemTime::now()).unwrap();
    let ended = tokio::spawn(app.run(listener, async { drop(stopped.await) }));
    Running { address, stop, ended }
}

async fn ask(stream: &mut TcpStream, request: &str) -> Message {
    stream.write_all(request.as_bytes()).await.unwrap();
    wire::read(stream, &mut Vec::new()).await.unwrap().unwrap()
}

#[tokio::test]
async fn answers_on_one_connection_what_its_table_says() {
    let app = run(options()).await;
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    for (request, body) in [
        ("GET /profile HTTP/1.1\r\n\r\n", "real1"),
        ("GET /health HTTP/1.1\r\n\r\n", r#"{"status":"UP"}"#),
        ("GET / HTTP/1.1\r\n\r\n", "v1 real1\n"),
        ("POST /order HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "v1 real1\nabc"),
        ("GET /slow/1 HTTP/1.1\r\n\r\n", "v1 real1\n"),
    ] {
        let answer = ask(&mut stream, request).await;
        assert_eq!(String::from_utf8(answer.body).unwrap(), body, "{request}");
        assert!(answer.start.contains("200"));
    }
    let process = ask(&mut stream, "GET /process HTTP/1.1\r\n\r\n").await.body;
    let numbers: Vec<u64> = str::from_utf8(&process).unwrap().split(' ').map(|n| n.parse().unwrap()).collect();
    assert_eq!(numbers[0], u64::from(std::process::id()));
    assert!(numbers[1] <= numbers[2]);
}

#[tokio::test]
async fn answers_what_is_in_flight_closes_what_is_idle_and_ends() {
    let app = run(options()).await;
    let mut idle = TcpStream::connect(app.address).await.unwrap();
    ask(&mut idle, "GET / HTTP/1.1\r\n\r\n").await;
    let mut busy = TcpStream::connect(app.address).await.unwrap();
    busy.write_all(b"GET /slow/300 HTTP/1.1\r\n\r\n").await.unwrap();
    sleep(Duration::from_millis(50)).await;

    app.stop.send(()).unwrap();

    assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0);
    let answer = wire::read(&mut busy, &mut Vec::new()).await.unwrap().unwrap();
    assert!(answer.close && answer.body == b"v1 real1\n");
    app.ended.await.unwrap().unwrap();
    assert!(TcpStream::connect(app.address).await.is_err());
}

#[tokio::test]
async fn answers_a_connection_that_the_kernel_accepted_before_the_stop() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut early = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    early.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    App::new(options(), SystemTime::now()).unwrap().run(listener, async {}).await.unwrap();
    let answer = wire::read(&mut early, &mut Vec::new()).await.unwrap().unwrap();
    assert_eq!(answer.body, b"v1 real1\n");
}

#[tokio::test]
async fn takes_version_and_fault_from_the_artifact() {
    let dir = tempfile::tempdir().unwrap();
    let artifact = |text: &str| {
        let path = dir.path().join("artifact");
        fs::write(&path, text).unwrap();
        App::new(Options { artifact: Some(path), ..options() }, SystemTime::now())
    };
    assert_eq!(artifact("v7\npadding").unwrap().label(), "v7 real1");
    let broken = artifact("v8 errors\n").unwrap();
    let (status, _) = broken.answer(&Message { start: String::new(), close: false, body: vec![] }).await;
    assert!(status.starts_with("500"));
    assert!(artifact("v9 nonsense\n").is_err());
}

#[tokio::test]
async fn a_release_that_exits_says_why() {
    let error = serve(Options { fault: Some(Fault::Exits), ..options() }).await.unwrap_err();
    assert!(error.to_string().contains("database"));
}
