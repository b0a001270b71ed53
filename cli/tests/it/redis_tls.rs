//! Redis over TLS (`rediss://`).

use std::io::Read;
use std::net::TcpListener as StdListener;
use std::process::Command;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use url::Url;

use crate::fleet::{Fleet, bot};
use crate::process::{Process, eventually, output, parlance, ready, stdout};

/// Self-signed certificate for `localhost`. The committed key protects nothing.
const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/localhost.pem");
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/localhost.key");

/// TLS proxy for a plain Redis.
struct TlsProxy {
    url: Url,
}

impl TlsProxy {
    async fn start(redis: &str) -> Self {
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
                    // A client that does not trust the certificate disconnects.
                    let Ok(mut outside) = acceptor.accept(outside).await else { return };
                    let mut inside = TcpStream::connect(inside).await.unwrap();
                    let _broken = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                });
            }
        });
        Self { url }
    }

    /// Points a process at the proxy.
    fn configure<'a>(&self, role: &'a mut Command) -> &'a mut Command {
        role.env("REDIS_URL", self.url.as_str()).env("SSL_CERT_FILE", CERTIFICATE)
    }
}

#[test]
fn rediss_password_is_never_sent_in_clear_text() {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let url = format!("rediss://:hunter2@127.0.0.1:{}", listener.local_addr().unwrap().port());
    let received = std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        let read = listener.accept().unwrap().0.read(&mut bytes).unwrap();
        bytes[..read].to_vec()
    });
    let folder = tempfile::tempdir().unwrap();
    let mut command = parlance();
    command.arg("doctor").arg("--data-dir").arg(folder.path()).env("REDIS_URL", url);
    let report = String::from_utf8(output(&mut command).stdout).unwrap();
    assert!(report.contains("BAD   redis"), "{report}");
    let received = received.join().unwrap();
    // 22 is the TLS record type of a handshake.
    assert_eq!(received.first(), Some(&22), "{}", String::from_utf8_lossy(&received));
    assert!(!String::from_utf8_lossy(&received).contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn fleet_works_with_redis_over_trusted_tls() {
    let fleet = Fleet::prepare().await;
    let proxy = TlsProxy::start(fleet.servers.redis_url().unwrap()).await;
    let report = output(proxy.configure(&mut fleet.role(&["doctor"])));
    let report = String::from_utf8(report.stdout).unwrap();
    assert!(report.contains("ok    redis"), "{report}");
    let mut untrusting = fleet.role(&["doctor"]);
    let untrusting = output(proxy.configure(&mut untrusting).env_remove("SSL_CERT_FILE"));
    let untrusting = String::from_utf8(untrusting.stdout).unwrap();
    assert!(untrusting.contains("BAD   redis"), "{untrusting}");

    let http = fleet.tenant("Secure");
    let api = Process::spawn(proxy.configure(&mut fleet.role(&["api"])));
    let worker = Process::spawn(proxy.configure(&mut fleet.role(&["worker"])));
    eventually("the API answers", async || http.try_get("/bots").await).await;
    let source = http.upload(&bot(&http).await, "a.md", "# Returns\n\nWithin thirty days.\n").await.id();
    ready(&http, &source).await;
    stdout(&mut fleet.role(&["job", "drain", "--timeout", "60"]));
    assert!(worker.terminate().success() && api.terminate().success());
    fleet.servers.stop().await.unwrap();
}
