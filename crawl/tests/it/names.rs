//! Names whose answers are forbidden, mixed or changing.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parlance_crawl::door::{Door, DoorConfig, FetchError, Lookup, Refusal};

use crate::site::{Names, Reply, Site, config, open_config, url};

#[tokio::test]
async fn one_forbidden_answer_refuses_the_name() {
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
        let names = Names::answering(answer);
        let config = DoorConfig { allow_ports: vec![trap.port()], ..config() };
        let door = Door::with_lookup(config, Arc::clone(&names) as _).unwrap();
        let address = url(&format!("http://site.example:{}/", trap.port()));
        let refused = door.fetch(&address, "*/*").await.unwrap_err();
        assert!(matches!(refused, FetchError::Refused(Refusal::Answer)), "{answer}: {refused:?}");
        assert!(door.client().get(address).send().await.is_err(), "{answer}");
        assert_eq!(names.asked(), 2, "one look-up for each request");
    }
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn a_refused_name_tells_nobody_where_it_leads() {
    for answer in ["10.1.2.3", "192.168.7.8", "169.254.169.254", "fd00:ec2::254", "::ffff:10.1.2.3"] {
        let door = Door::with_lookup(config(), Names::answering(answer)).unwrap();
        let refused = door.fetch(&url("http://vault.example/"), "*/*").await.unwrap_err();
        let told = format!("{refused} {refused:?}");
        assert_eq!(refused.code(), "address_refused");
        assert!(!told.contains(answer) && !told.contains("10.1.2.3"), "{told}");
        assert!(std::error::Error::source(&refused).is_none(), "{told}");
    }
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_checked_at_every_connection() {
    let site = Site::start(|_| Reply::page("hello")).await;
    let trap = Site::start_at(&format!("127.0.0.2:{}", site.port()), |_| Reply::page("trapped")).await;
    let config = DoorConfig { allow_ports: vec![site.port()], ..open_config() };
    let address = url(&format!("http://site.example:{}/", site.port()));

    let names = Names::answering("127.0.0.1|127.0.0.2");
    let door = Door::with_lookup(config.clone(), Arc::clone(&names) as _).unwrap();
    assert_eq!(door.fetch(&address, "*/*").await.unwrap().status, 200);
    assert_eq!(names.asked(), 1, "what was checked is what was connected to");
    for _ in 0..3 {
        assert!(matches!(door.fetch(&address, "*/*").await, Err(FetchError::Refused(Refusal::Answer))));
    }

    let names = Names::answering("127.0.0.1|127.0.0.2");
    let door = Door::with_lookup(config, Arc::clone(&names) as _).unwrap();
    assert_eq!(door.client().get(address.clone()).send().await.unwrap().status(), 200);
    assert!(door.client().get(address).send().await.is_err());
    assert_eq!((site.connections(), trap.connections()), (2, 0));
}

#[tokio::test]
async fn house_names_and_odd_ports_lead_into_open_networks_only() {
    let site = Site::start(|_| Reply::page("wiki")).await;
    let wiki = url(&format!("http://wiki.corp.internal:{}/", site.port()));
    let site_name = url(&format!("http://site.example:{}/", site.port()));
    let door = |answers: &str| Door::with_lookup(open_config(), Names::answering(answers)).unwrap();

    let open = door("127.0.0.1");
    assert_eq!(open.fetch(&wiki, "*/*").await.unwrap().body.as_ref(), b"wiki");
    assert_eq!(open.fetch(&site_name, "*/*").await.unwrap().status, 200);
    for answers in ["8.8.8.8", "127.0.0.1 8.8.8.8", "127.0.0.2", "10.0.0.1"] {
        for address in [&wiki, &site_name] {
            let refused = door(answers).fetch(address, "*/*").await.unwrap_err();
            assert!(matches!(refused, FetchError::Refused(Refusal::Answer)), "{answers}: {refused:?}");
        }
    }
    // The bare client does not know which port a name is asked for, so it stays out.
    assert!(open.client().get(wiki).send().await.is_err());
    assert_eq!(site.connections(), 2);
}

#[tokio::test]
async fn an_unknown_name_and_a_slow_look_up_say_so() {
    let door = Door::with_lookup(config(), Names::answering("")).unwrap();
    let error = door.fetch(&url("http://nobody.example/"), "*/*").await.unwrap_err();
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
    let config = DoorConfig { connect_timeout: Duration::from_millis(100), ..config() };
    let door = Door::with_lookup(config, Arc::new(Slow)).unwrap();
    let error = door.fetch(&url("http://slow.example/"), "*/*").await.unwrap_err();
    assert_eq!(error.code(), "timeout");
}

#[tokio::test]
async fn the_door_s_own_closed_name_leads_nowhere() {
    let door = Door::with_lookup(config(), Names::answering("8.8.8.8")).unwrap();
    let error = door.fetch(&url("http://closed.parlance.invalid/"), "*/*").await.unwrap_err();
    assert!(matches!(error, FetchError::Refused(Refusal::Closed)), "{error:?}");
}
