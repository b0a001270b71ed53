//! The fetcher ignores proxies from the environment.

use std::process::Command;

use crate::site::{Reply, Site, open_fetcher};

#[tokio::test(flavor = "multi_thread")]
async fn environment_proxies_are_ignored() {
    let proxy = Site::trap().await;
    let address = format!("http://127.0.0.1:{}", proxy.port());
    let variables = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let environment = variables.map(|name| (name, address.as_str()));

    run_alone("proxies::unguarded_client_subprocess", &environment);
    let used = proxy.connections();
    assert!(used > 0, "an unguarded client uses the proxy");
    run_alone("proxies::fetcher_subprocess", &environment);
    assert_eq!(proxy.connections(), used);
}

#[tokio::test]
#[ignore = "run by the previous test in a process with proxies"]
async fn unguarded_client_subprocess() {
    let site = Site::start(|_| Reply::page("hello")).await;
    let _fetcher_installs_the_cryptography = open_fetcher();
    let _sent = reqwest::get(site.url("/")).await;
    assert_eq!(site.connections(), 0);
}

#[tokio::test]
#[ignore = "run by the previous test in a process with proxies"]
async fn fetcher_subprocess() {
    let site = Site::start(|_| Reply::page("hello")).await;
    let fetcher = open_fetcher();
    fetcher.fetch(&site.url("/"), "*/*").await.unwrap();
    fetcher.client().get(site.url("/")).send().await.unwrap();
    assert_eq!(site.connections(), 2);
}

/// Runs an ignored test in a separate process.
pub(crate) fn run_alone(test: &str, environment: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored"]).env_remove("NO_PROXY").env_remove("no_proxy");
    let output = command.envs(environment.iter().copied()).output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && stdout.contains("1 passed"),
        "{stdout}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
