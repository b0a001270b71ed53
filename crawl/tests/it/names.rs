//! Names that resolve to forbidden, mixed or changing addresses.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parlance_crawl::fetcher::{FetchError, Fetcher, FetcherConfig, Lookup, Refusal};

use crate::site::{FakeDns, Reply, Site, config, open_config, url};

#[tokio::test]
async fn one_forbidden_address_refuses_the_name() {
    let trap = Site::trap().await;
    for answer in [
        "127.0.0.1",
        "::1",
        "0.0.0.0",
        "::",
        "::ffff:127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "fd00:ec2::254",
        "64:ff9b::7f00:1",
        "8.8.8.8 127.0.0.1",
        "127.0.0.1 8.8.8.8",
        "2606:4700::1111 8.8.8.8 ::1",
    ] {
        let dns = FakeDns::answering(answer);
        let config = FetcherConfig { allow_ports: vec![trap.port()], ..config() };
        let fetcher = Fetcher::with_lookup(config, Arc::clone(&dns) as _).unwrap();
        let address = url(&format!("http://site.example:{}/", trap.port()));
        let refused = fetcher.fetch(&address, "*/*").await.unwrap_err();
        assert!(matches!(refused, FetchError::Refused(Refusal::ResolvedAddress)), "{answer}: {refused:?}");
        assert!(fetcher.client().get(address).send().await.is_err(), "{answer}");
        assert_eq!(dns.lookups(), 2, "one lookup per request");
    }
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn a_refusal_does_not_reveal_the_resolved_address() {
    for answer in ["10.1.2.3", "192.168.7.8", "169.254.169.254", "fd00:ec2::254", "::ffff:10.1.2.3"] {
        let fetcher = Fetcher::with_lookup(config(), FakeDns::answering(answer)).unwrap();
        let refused = fetcher.fetch(&url("http://vault.example/"), "*/*").await.unwrap_err();
        let message = format!("{refused} {refused:?}");
        assert_eq!(refused.code(), "address_refused");
        assert!(!message.contains(answer) && !message.contains("10.1.2.3"), "{message}");
        assert!(std::error::Error::source(&refused).is_none(), "{message}");
    }
}

#[tokio::test]
async fn changing_names_are_checked_at_every_connection() {
    let site = Site::start(|_| Reply::page("hello")).await;
    let trap = Site::start_at(&format!("127.0.0.2:{}", site.port()), |_| Reply::page("trapped")).await;
    let config = FetcherConfig { allow_ports: vec![site.port()], ..open_config() };
    let address = url(&format!("http://site.example:{}/", site.port()));

    let dns = FakeDns::answering("127.0.0.1|127.0.0.2");
    let fetcher = Fetcher::with_lookup(config.clone(), Arc::clone(&dns) as _).unwrap();
    assert_eq!(fetcher.fetch(&address, "*/*").await.unwrap().status, 200);
    assert_eq!(dns.lookups(), 1, "the checked address is the connected one");
    for _ in 0..3 {
        assert!(matches!(
            fetcher.fetch(&address, "*/*").await,
            Err(FetchError::Refused(Refusal::ResolvedAddress))
        ));
    }

    let dns = FakeDns::answering("127.0.0.1|127.0.0.2");
    let fetcher = Fetcher::with_lookup(config, Arc::clone(&dns) as _).unwrap();
    assert_eq!(fetcher.client().get(address.clone()).send().await.unwrap().status(), 200);
    assert!(fetcher.client().get(address).send().await.is_err());
    assert_eq!((site.connections(), trap.connections()), (2, 0));
}

#[tokio::test]
async fn internal_names_and_odd_ports_reach_allowed_networks_only() {
    let site = Site::start(|_| Reply::page("wiki")).await;
    let wiki = url(&format!("http://wiki.corp.internal:{}/", site.port()));
    let site_name = url(&format!("http://site.example:{}/", site.port()));
    let fetcher = |answers: &str| Fetcher::with_lookup(open_config(), FakeDns::answering(answers)).unwrap();

    let open = fetcher("127.0.0.1");
    assert_eq!(open.fetch(&wiki, "*/*").await.unwrap().body.as_ref(), b"wiki");
    assert_eq!(open.fetch(&site_name, "*/*").await.unwrap().status, 200);
    for answers in ["8.8.8.8", "127.0.0.1 8.8.8.8", "127.0.0.2", "10.0.0.1"] {
        for address in [&wiki, &site_name] {
            let refused = fetcher(answers).fetch(address, "*/*").await.unwrap_err();
            assert!(
                matches!(refused, FetchError::Refused(Refusal::ResolvedAddress)),
                "{answers}: {refused:?}"
            );
        }
    }
    // The bare client's resolver does not know the port, so it refuses.
    assert!(open.client().get(wiki).send().await.is_err());
    assert_eq!(site.connections(), 2);
}

#[tokio::test]
async fn unknown_names_and_slow_lookups_have_their_own_errors() {
    let fetcher = Fetcher::with_lookup(config(), FakeDns::answering("")).unwrap();
    let error = fetcher.fetch(&url("http://nobody.example/"), "*/*").await.unwrap_err();
    assert_eq!((error.code(), error.is_transient()), ("name_not_found", true));
    assert_eq!(error.to_string(), "The name \"nobody.example\" could not be found. Check its spelling.");

    struct Slow;
    #[async_trait::async_trait]
    impl Lookup for Slow {
        async fn lookup(&self, _host: &str) -> std::io::Result<Vec<IpAddr>> {
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(vec![])
        }
    }
    let config = FetcherConfig { connect_timeout: Duration::from_millis(100), ..config() };
    let fetcher = Fetcher::with_lookup(config, Arc::new(Slow)).unwrap();
    let error = fetcher.fetch(&url("http://slow.example/"), "*/*").await.unwrap_err();
    assert_eq!(error.code(), "timeout");
}

#[tokio::test]
async fn the_blocked_proxy_name_is_never_resolved() {
    let fetcher = Fetcher::with_lookup(config(), FakeDns::answering("8.8.8.8")).unwrap();
    let error = fetcher.fetch(&url("http://closed.parlance.invalid/"), "*/*").await.unwrap_err();
    assert!(matches!(error, FetchError::Refused(Refusal::Closed)), "{error:?}");
}
