//! The environment's proxies: the door does not know them.

use std::process::Command;

use crate::site::{Reply, Site, open_door};

#[tokio::test(flavor = "multi_thread")]
async fn proxies_of_the_environment_are_not_used() {
    let proxy = Site::trap().await;
    let address = format!("http://127.0.0.1:{}", proxy.port());
    let variables = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let environment = variables.map(|name| (name, address.as_str()));

    run_alone("proxies::an_unguarded_client_alone", &environment);
    let used = proxy.connections();
    assert!(used > 0, "an unguarded client uses the proxy");
    run_alone("proxies::a_door_alone", &environment);
    assert_eq!(proxy.connections(), used);
}

#[tokio::test]
#[ignore = "run by the test before it, in a process with proxies"]
async fn an_unguarded_client_alone() {
    let site = Site::start(|_| Reply::page("hello")).await;
    let _door_installs_the_cryptography = open_door();
    let _sent = reqwest::get(site.url("/")).await;
    assert_eq!(site.connections(), 0);
}

#[tokio::test]
#[ignore = "run by the test before it, in a process with proxies"]
async fn a_door_alone() {
    let site = Site::start(|_| Reply::page("hello")).await;
    let door = open_door();
    door.fetch(&site.url("/"), "*/*").await.unwrap();
    door.client().get(site.url("/")).send().await.unwrap();
    assert_eq!(site.connections(), 2);
}

/// Runs one ignored test in a process of its own.
pub(crate) fn run_alone(test: &str, environment: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored"]).env_remove("NO_PROXY").env_remove("no_proxy");
    let output = command.envs(environment.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
