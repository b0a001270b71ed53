//! Hostile addresses: none is looked up, none is connected to.

use std::sync::Arc;

use parlance_crawl::door::{Door, DoorConfig, FetchError, Refusal};
use url::Url;

use crate::site::{Names, Site, config, open_door, url};

/// `{}` stands for the port that the trap listens at, which is open as far as ports go.
const HOSTILE: &[&str] = &[
    // This machine, in many spellings.
    "http://127.0.0.1:{}/",
    "https://127.0.0.1:{}/",
    "http://127.1:{}/",
    "http://127.0.1:{}/",
    "http://127.255.255.254:{}/",
    "http://127.0.0.1.:{}/",
    "http://2130706433:{}/",
    "http://0x7f000001:{}/",
    "http://0x7F.0.0.0x1:{}/",
    "http://0x7f.1:{}/",
    "http://017700000001:{}/",
    "http://0177.0.0.1:{}/",
    "http://0177.0.0.01:{}/",
    "http://127.0.0.0x1.:{}/",
    "http://0:{}/",
    "http://0.0.0.0:{}/",
    "http://0.0.0.1:{}/",
    "http://00000000:{}/",
    "http://１２７.０.０.１:{}/",
    "http://①②⑦.⓪.⓪.①:{}/",
    "http://127。0。0。1:{}/",
    "http://１２７．１:{}/",
    "http://%31%32%37.0.0.1:{}/",
    "http://127.0.0.%31:{}/",
    "http://[::1]:{}/",
    "http://[0:0:0:0:0:0:0:1]:{}/",
    "http://[::]:{}/",
    "http://[::ffff:127.0.0.1]:{}/",
    "http://[::ffff:7f00:1]:{}/",
    "http://[::FFFF:0:127.0.0.1]:{}/",
    "http://[::127.0.0.1]:{}/",
    "http://[64:ff9b::127.0.0.1]:{}/",
    "http://[64:ff9b:1::7f00:1]:{}/",
    "http://[2002:7f00:1::]:{}/",
    "http://[2001:0:7f00:1::]:{}/",
    "http://[fe80::5efe:7f00:1]:{}/",
    "http://[2a00:1450::5efe:7f00:1]:{}/",
    "http://[fe80::1]:{}/",
    "http://[fe80::1%25lo]:{}/",
    "http://[::1%25lo]:{}/",
    "http://localhost:{}/",
    "http://LOCALHOST:{}/",
    "http://localhost.:{}/",
    "http://a.localhost:{}/",
    "http://ⓛocalhost:{}/",
    "http://loc%61lhost:{}/",
    "http://localhost.localdomain:{}/",
    "http://ip6-localhost:{}/",
    // Tricks of writing.
    "http:\\\\127.0.0.1:{}\\",
    "http:/127.0.0.1:{}/",
    "http:127.0.0.1:{}/",
    "http:///127.0.0.1:{}/",
    "ht\ttp://127.0.0.1:{}/",
    "http://12\t7.0.\n0.1:{}/",
    " \u{1}http://127.0.0.1:{}/",
    "HTTP://127.0.0.1:{}/",
    "http://example.com@127.0.0.1:{}/",
    "http://127.0.0.1:{}\\@example.com/",
    "http://127.0.0.1:{}#@example.com/",
    "http://127.0.0.1:{}?@example.com/",
    "http://@127.0.0.1:{}/",
    "http://user:secret@127.0.0.1:{}/",
    // The house and the cloud.
    "http://10.0.0.1:{}/",
    "http://172.16.0.1:{}/",
    "http://192.168.1.1:{}/",
    "http://100.64.0.1:{}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://0xa9fea9fe/latest/meta-data/",
    "http://2852039166/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[fd00:ec2::254]/",
    "http://[fc00::1]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://metadata.google.internal/",
    "http://METADATA.GOOGLE.INTERNAL./",
    "http://redis/",
    "http://postgres:{}/",
    "http://api.svc.cluster.local/",
    "http://printer.local/",
    "http://router.lan/",
    "http://nas.home.arpa/",
    "http://224.0.0.1:{}/",
    "http://240.0.0.1:{}/",
    "http://255.255.255.255:{}/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    // Ports and schemes that are not of the web.
    "http://example.com:22/",
    "http://example.com:6379/",
    "http://8.8.8.8:25/",
    "https://example.com:0/",
    "ftp://127.0.0.1:{}/",
    "gopher://127.0.0.1:{}/_x",
    "ws://127.0.0.1:{}/",
    "file:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "data:text/html,hello",
    "javascript:alert(1)",
    "unix:/var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "blob:http://127.0.0.1:{}/1",
    "about:blank",
    "http://",
    "http://:80/",
];

/// Addresses whose hosts are public: the check refuses them; the client alone would look them up.
const WITH_CREDENTIALS: &[&str] =
    &["http://user:secret@example.com/", "http://user@example.com/", "http://:secret@example.com/"];

fn tricky(trap: &Site) -> (Vec<String>, DoorConfig) {
    let port = trap.port().to_string();
    let table = HOSTILE.iter().map(|address| address.replace("{}", &port)).collect();
    (table, DoorConfig { allow_ports: vec![trap.port()], ..config() })
}

#[tokio::test]
async fn no_hostile_address_is_looked_up_or_connected_to() {
    let trap = Site::trap().await;
    let (table, config) = tricky(&trap);
    assert!(table.len() >= 60);
    let names = Names::answering("127.0.0.1");
    let door = Door::with_lookup(config, Arc::clone(&names) as _).unwrap();
    for address in table.iter().map(String::as_str).chain(WITH_CREDENTIALS.iter().copied()) {
        // What is no address is refused where it is parsed.
        let Ok(parsed) = Url::parse(address) else { continue };
        let refusal = door.check(&parsed).expect_err(address);
        assert!(refusal.to_string().ends_with('.'), "{refusal}");
        match door.fetch(&parsed, "*/*").await {
            Err(FetchError::Refused(found)) => assert_eq!(found, refusal, "{address}"),
            other => panic!("{address}: {other:?}"),
        }
    }
    assert_eq!((names.asked(), trap.connections()), (0, 0));
}

#[tokio::test]
async fn the_bare_client_connects_to_no_hostile_address_either() {
    let trap = Site::trap().await;
    let (table, config) = tricky(&trap);
    let names = Names::answering("127.0.0.1");
    let door = Door::with_lookup(config, Arc::clone(&names) as _).unwrap();
    for address in &table {
        assert!(door.client().get(address).send().await.is_err(), "{address}");
        assert!(door.client().post(address).body("x").send().await.is_err(), "{address}");
    }
    assert_eq!((names.asked(), trap.connections()), (0, 0));
    for address in WITH_CREDENTIALS {
        assert!(door.client().get(*address).send().await.is_err(), "{address}");
    }
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn the_trap_would_count_what_an_unguarded_client_reaches() {
    let trap = Site::trap().await;
    let (table, _) = tricky(&trap);
    let _door_installs_the_cryptography = open_door();
    let open =
        reqwest::Client::builder().no_proxy().timeout(std::time::Duration::from_millis(300)).build().unwrap();
    let mut reached = 0;
    for address in table.iter().take(48) {
        reached += usize::from(open.get(address).send().await.is_ok());
    }
    assert!(reached >= 20 && trap.connections() >= reached, "{reached}");
}

#[tokio::test]
async fn an_open_network_opens_itself_and_nothing_else() {
    let site = Site::start(|_| crate::site::Reply::page("hello")).await;
    let (door, port) = (open_door(), site.port());
    assert_eq!(door.fetch(&site.url("/"), "*/*").await.unwrap().body.as_ref(), b"hello");
    assert_eq!(door.client().get(site.url("/")).send().await.unwrap().status(), 200);
    for closed in ["127.0.0.2", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "169.254.169.254"] {
        let refusal = door.check(&url(&format!("http://{closed}:{port}/"))).unwrap_err();
        assert!(matches!(refusal, Refusal::Address(_)), "{closed}: {refusal:?}");
    }
    assert_eq!(door.check(&url("http://8.8.8.8:8080/")), Err(Refusal::Port(8080)));
    assert_eq!(door.check(&url("ftp://127.0.0.1/")), Err(Refusal::Scheme("ftp".into())));
    assert_eq!(door.check(&url("http://a:b@127.0.0.1/")), Err(Refusal::Credentials));
}

#[test]
fn public_addresses_pass_the_check() {
    let door = Door::new(DoorConfig { allow_ports: vec![8443], ..config() }).unwrap();
    for address in [
        "https://example.com/",
        "http://example.com:80/a?b#c",
        "https://example.com:443",
        "http://example.com:443/",
        "https://example.com.:8443/",
        "http://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "https://bücher.example/",
        "https://notlocalhost.com/",
        "https://internal.example.com/",
        "https://mylocal.org/",
    ] {
        assert_eq!(door.check(&url(address)), Ok(()), "{address}");
    }
}

#[tokio::test]
async fn the_door_says_who_it_is_and_nothing_about_anybody_else() {
    let site = Site::start(|path| match path {
        "/" => crate::site::Reply::Full(
            302,
            vec![("Location", "/b".into()), ("Set-Cookie", "a=b".into())],
            vec![],
        ),
        _ => crate::site::Reply::page("hello"),
    })
    .await;
    let config = DoorConfig {
        user_agent: parlance_crawl::door::user_agent(Some("https://example.com/bot\r\nX-Evil: 1")),
        ..crate::site::open_config()
    };
    let door = Door::new(config).unwrap();
    door.fetch(&site.url("/"), "text/html").await.unwrap();
    door.client().get(site.url("/")).send().await.unwrap();
    let wanted = format!("ParlanceBot/{} (+https://example.com/botX-Evil: 1)", env!("CARGO_PKG_VERSION"));
    assert_eq!(site.heads().len(), 4);
    for head in site.heads().iter().map(|head| head.to_ascii_lowercase()) {
        assert!(head.contains(&format!("user-agent: {}\r\n", wanted.to_ascii_lowercase())), "{head}");
        assert!(
            !head.contains("cookie") && !head.contains("referer") && !head.contains("authorization"),
            "{head}"
        );
        assert!(!head.contains("\nx-evil") && !head.contains("zstd"), "{head}");
    }
}
