use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, tcp::OwnedWriteHalf},
};

use super::*;

/// A server that reads requests and lets `reply` do with each what it likes; `false` ends the connection.
async fn server<F>(reply: fn(Message, OwnedWriteHalf) -> F) -> SocketAddr
where
    F: Future<Output = Option<OwnedWriteHalf>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.into_split();
                let mut buffer = Vec::new();
                while let Ok(Some(request)) = wire::read(&mut reader, &mut buffer).await {
                    writer = reply(request, writer).await?;
                }
                Some(())
            });
        }
    });
    address
}

async fn write(mut writer: OwnedWriteHalf, status: &str, body: &[u8]) -> OwnedWriteHalf {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
    writer.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    writer
}

fn load(address: SocketAddr) -> Load {
    Load { clients: 4, limit: 40, patience: Duration::from_millis(500), ..Load::new(address) }
}

#[tokio::test]
async fn counts_answers_by_release_and_stops_at_its_limit() {
    let echo = |request: Message, writer| async move {
        Some(write(writer, "200 OK", &[b"v1 real1\n", &request.body[..]].concat()).await)
    };
    let tally = load(server(echo).await).start().finish().await;
    assert_eq!((tally.answered(), tally.lost()), (40, 0), "{tally}");
    assert_eq!(tally.by_release()["v1 real1"], 40);
}

#[tokio::test]
async fn whatever_is_not_a_whole_proper_answer_is_lost() {
    let shot = |_, _| async { None };
    assert_eq!(load(server(shot).await).start().finish().await.losses()[&Loss::Closed], 40);

    let cut = |_, mut writer: OwnedWriteHalf| async move {
        writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nv1").await.unwrap();
        None
    };
    assert_eq!(load(server(cut).await).start().finish().await.losses()[&Loss::Closed], 40);

    let broken = |_, writer| async { Some(write(writer, "502 Bad Gateway", b"").await) };
    assert_eq!(load(server(broken).await).start().finish().await.losses()[&Loss::Status(502)], 40);

    let silent = |_, writer| async { Some(writer) };
    let few = Load { limit: 4, ..load(server(silent).await) };
    assert_eq!(few.start().finish().await.losses()[&Loss::TimedOut], 4);

    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(load(deaf).start().finish().await.losses()[&Loss::NotConnected], 40);
}

#[tokio::test]
async fn a_body_that_does_not_come_back_is_lost() {
    let forgetful = |_, writer| async { Some(write(writer, "200 OK", b"v1 real1\n").await) };
    let tally = load(server(forgetful).await).start().finish().await;
    assert_eq!(tally.losses().get(&Loss::Garbled).copied(), Some(tally.lost()));
    assert!(tally.lost() > 0 && tally.answered() > 0, "every POST and no GET: {tally}");
}

/// Answers each request and closes right after, without having said so.
async fn closer(polite: bool) -> Tally {
    let once = |request: Message, writer| async move {
        write(writer, "200 OK", &[b"v1 real1\n", &request.body[..]].concat()).await;
        None
    };
    Load { polite, ..load(server(once).await) }.start().finish().await
}

#[tokio::test]
async fn only_a_polite_client_sees_an_end_in_time() {
    let naive = closer(false).await;
    assert!(naive.lost() >= 15, "every second request meets a closed connection: {naive}");
    let polite = closer(true).await;
    assert!(polite.lost() * 4 < naive.lost(), "{polite}");
}

#[tokio::test]
async fn stops_when_told_and_loses_nothing_by_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = Load { clients: 1, ..load(listener.local_addr().unwrap()) }.start();
    let (mut stream, _) = listener.accept().await.unwrap();
    let asked = stream.read(&mut [0; 512]).await.unwrap();
    assert!(asked > 0);
    let stopping = tokio::spawn(running.stop());
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    assert_eq!(stopping.await.unwrap().0.len(), 1);
}
