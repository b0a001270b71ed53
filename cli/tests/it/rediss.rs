//! Redis behind TLS: `rediss://`.

use std::io::Read;
use std::net::TcpListener as Plain;
use std::process::Command;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use url::Url;

use crate::fleet::{Fleet, bot};
use crate::process::{Process, eventually, output, parlance, ready, said};

/// A certificate for `localhost` that nobody trusts but who is told to. Its key is beside it, and guards nothing.
const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/localhost.pem");
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/localhost.key");

/// A way with TLS to a Redis without.
struct Tunnel {
    url: Url,
}

impl Tunnel {
    /// Opens one.
    async fn to(redis: &str) -> Self {
        parlance_core::platform::tls::install();
        let certificate = CertificateDer::from_pem_file(CERTIFICATE).unwrap();
        let key = PrivateKeyDer::from_pem_file(KEY).unwrap();
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![certificate], key).unwrap();
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let mut url = Url::parse(redis).unwrap();
        let inside = (url.host_str().unwrap().to_owned(), url.port().unwrap());
        url.set_scheme("rediss").unwrap();
        url.set_host(Some("localhost")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((outside, _)) = listener.accept().await {
                let (acceptor, inside) = (acceptor.clone(), inside.clone());
                tokio::spawn(async move {
                    // Who does not trust the certificate goes away.
                    let Ok(mut outside) = acceptor.accept(outside).await else { return };
                    let mut inside = TcpStream::connect(inside).await.unwrap();
                    let _broken = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                });
            }
        });
        Self { url }
    }

    /// Tells a role of it.
    fn told<'a>(&self, role: &'a mut Command) -> &'a mut Command {
        role.env("REDIS_URL", self.url.as_str()).env("SSL_CERT_FILE", CERTIFICATE)
    }
}

#[test]
fn a_password_for_rediss_is_sent_to_nobody_in_the_clear() {
    let listener = Plain::bind("127.0.0.1:0").unwrap();
    let url = format!("rediss://:hunter2@127.0.0.1:{}", listener.local_addr().unwrap().port());
    let heard = std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        let read = listener.accept().unwrap().0.read(&mut bytes).unwrap();
        bytes[..read].to_vec()
    });
    let folder = tempfile::tempdir().unwrap();
    let mut command = parlance();
    command.arg("doctor").arg("--data-dir").arg(folder.path()).env("REDIS_URL", url);
    let told = String::from_utf8(output(&mut command).stdout).unwrap();
    assert!(told.contains("BAD   redis"), "{told}");
    let heard = heard.join().unwrap();
    // 22 begins a handshake of TLS.
    assert_eq!(heard.first(), Some(&22), "{}", String::from_utf8_lossy(&heard));
    assert!(!String::from_utf8_lossy(&heard).contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_works_with_a_redis_behind_tls_whose_certificate_it_trusts() {
    let fleet = Fleet::prepare().await;
    let tunnel = Tunnel::to(fleet.servers.redis_url().unwrap()).await;
    let well = output(tunnel.told(&mut fleet.role(&["doctor"])));
    let well = String::from_utf8(well.stdout).unwrap();
    assert!(well.contains("ok    redis"), "{well}");
    let mut stranger = fleet.role(&["doctor"]);
    let stranger = output(tunnel.told(&mut stranger).env_remove("SSL_CERT_FILE"));
    let stranger = String::from_utf8(stranger.stdout).unwrap();
    assert!(stranger.contains("BAD   redis"), "{stranger}");

    let http = fleet.tenant("Secure");
    let api = Process::spawn(tunnel.told(&mut fleet.role(&["api"])));
    let worker = Process::spawn(tunnel.told(&mut fleet.role(&["worker"])));
    eventually("the API answers", async || http.try_get("/bots").await).await;
    let source = http.upload(&bot(&http).await, "a.md", "# Returns\n\nWithin thirty days.\n").await.id();
    ready(&http, &source).await;
    said(&mut fleet.role(&["job", "drain", "--timeout", "60"]));
    assert!(worker.terminate().success() && api.terminate().success());
    fleet.servers.stop().await.unwrap();
}
