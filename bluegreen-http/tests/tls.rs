//! https with a private CA: the name comes from the URL, the address from `connect`.
#![cfg(feature = "tls")]

mod common;

use std::{io::Write as _, sync::Arc};

use bluegreen_core::Unhealthy;
use bluegreen_http::{Client, Options};
use common::options;
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

#[tokio::test]
async fn trusts_the_ca_that_is_given_for_the_name_in_the_url() {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["shop.example".into()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = Some(listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let name = stream.get_ref().1.server_name().unwrap_or("nobody").to_owned();
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len());
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(cert.pem().as_bytes()).unwrap();
    let ask = async |url: &str, ca_file| {
        let options = Options { connect, ca_file, ..options() };
        Client::new(url, &options).unwrap().get().await.map(|answer| answer.text().into_owned())
    };
    let ca = Some(file.path().to_owned());
    assert_eq!(ask("https://shop.example:8443/", ca.clone()).await, Ok("shop.example".to_owned()));
    for (url, ca) in [("https://shop.example/", None), ("https://other.example/", ca)] {
        let refused = ask(url, ca).await;
        assert!(matches!(&refused, Err(Unhealthy::Sick(text)) if text.contains("certificate")), "{url}: {refused:?}");
    }
}

#[tokio::test]
async fn a_port_for_plain_http_is_no_failure_of_tls() {
    let address = common::serve_raw(|mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        let _ = stream.read(&mut [0; 1024]).await;
    })
    .await;
    let options = Options { connect: Some(address), ..options() };
    let refused = Client::new("https://shop.example/", &options).unwrap().get().await;
    assert!(matches!(&refused, Err(Unhealthy::Sick(text)) if text.contains("not TLS")), "{refused:?}");
}
