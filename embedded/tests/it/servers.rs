//! Real servers: start, stop, kill, recovery.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use parlance_embedded::{Error, Options, Servers, default_cache_dir, parts::Parts};

use crate::owner;

fn options(data_dir: &Path) -> Options {
    Options {
        data_dir: data_dir.to_owned(),
        cache_dir: default_cache_dir(),
        postgres: true,
        redis: false,
        model: None,
        onnxruntime: false,
        ephemeral: false,
    }
}

/// A data folder below a temporary folder that the servers' account may enter; root's default does not allow
/// it.
fn data_dir(holder: &tempfile::TempDir) -> PathBuf {
    fs::set_permissions(holder.path(), fs::Permissions::from_mode(0o711)).unwrap();
    holder.path().join("data")
}

/// Runs a statement with the psql of the same wheel.
fn sql(url: &str, statement: &str) -> Result<String, String> {
    let psql = Parts::new(&default_cache_dir()).postgres_bin().unwrap().join("psql");
    let output =
        Command::new(psql).args(["-XAtq", "-v", "ON_ERROR_STOP=1", url, "-c", statement]).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap().trim().to_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// Sends one command to Redis and returns the reply.
fn redis(url: &str, command: &str) -> std::io::Result<String> {
    let (password, address) = url.strip_prefix("redis://:").unwrap().split_once('@').unwrap();
    let mut stream = TcpStream::connect(address.strip_suffix("/0").unwrap())?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(stream, "AUTH {password}\r\n{command}\r\nQUIT\r\n")?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    let reply = reply.strip_prefix("+OK\r\n").unwrap_or(&reply);
    Ok(reply.strip_suffix("+OK\r\n").unwrap_or(reply).trim().to_owned())
}

/// Processes whose command line contains a folder: servers and their supervisors.
fn processes(folder: &Path) -> Vec<String> {
    let output = Command::new("ps").args(["-axww", "-o", "pid=,command="]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let folder = folder.to_str().unwrap();
    text.lines().filter(|line| line.contains(folder)).map(str::to_owned).collect()
}

fn eventually(condition: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(20), "timed out waiting: {condition}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn new_servers_support_vectors_and_six_languages() {
    let servers = Servers::ephemeral(&default_cache_dir()).await.unwrap();
    let (url, redis_url) = (servers.database_url().unwrap(), servers.redis_url().unwrap());
    sql(url, "create extension if not exists vector").unwrap();
    assert_eq!(sql(url, "select '[3,4]'::vector <-> '[0,0]'::vector").unwrap(), "5");
    sql(url, "create database another").unwrap();
    let another = format!("{}/another", url.strip_suffix("/parlance").unwrap());
    sql(&another, "create extension if not exists vector; create table t (e halfvec(3))").unwrap();
    for language in ["english", "french", "spanish", "german", "italian", "portuguese"] {
        sql(url, &format!("select to_tsvector('{language}', 'Éléphants')")).unwrap();
    }
    assert_eq!(sql(url, "select to_tsvector('french', '“Éléphants”—ça')").unwrap(), "'ça':2 'éleph':1");
    assert_eq!(sql(url, "select lower('ÀÉÎ')").unwrap(), "àéî");
    assert_eq!(redis(redis_url, "PING").unwrap(), "+PONG");
    servers.stop().await.unwrap();
}

#[tokio::test]
async fn logins_need_the_password_and_exclude_the_superuser() {
    let servers = Servers::ephemeral(&default_cache_dir()).await.unwrap();
    let url = servers.database_url().unwrap();
    assert_eq!(sql(url, "select rolsuper from pg_roles where rolname = current_user").unwrap(), "f");
    let (address, password) = (url.split_once('@').unwrap().1, &url["postgres://parlance:".len()..][..64]);
    assert!(
        sql(&format!("postgres://parlance:wrong@{address}"), "select 1").unwrap_err().contains("password")
    );
    assert!(
        sql(&format!("postgres://postgres:{password}@{address}"), "select 1").unwrap_err().contains("pg_hba")
    );
    let redis_url = servers.redis_url().unwrap();
    let wrong = format!("redis://:wrong@{}", redis_url.split_once('@').unwrap().1);
    assert!(redis(&wrong, "PING").unwrap().contains("WRONGPASS"));
    let command_lines = processes(Path::new("postgres")).join("\n");
    assert!(!command_lines.contains(password));
    servers.stop().await.unwrap();
}

#[test]
fn an_ephemeral_folder_is_removed_with_its_servers() {
    let servers = Servers::ephemeral_blocking(&default_cache_dir()).unwrap();
    let folder = sql(servers.database_url().unwrap(), "show data_directory");
    // Only a superuser may query the data folder: take it from the process list.
    assert!(folder.is_err());
    let port =
        servers.database_url().unwrap().rsplit_once(':').unwrap().1.split_once('/').unwrap().0.to_owned();
    let line = processes(Path::new(&format!("port={port} "))).into_iter().next().unwrap();
    let folder = PathBuf::from(line.split_once("-D ").unwrap().1.split_once("/postgres").unwrap().0);
    assert!(folder.join("postgres").exists());
    drop(servers);
    eventually("the folder is gone", || !folder.exists());
    eventually("the processes are gone", || processes(&folder).is_empty());
}

#[test]
fn killing_the_owner_of_ephemeral_servers_leaves_nothing() {
    let holder = tempfile::tempdir().unwrap();
    let data = data_dir(&holder);
    let (mut owner, urls) = owner::start_servers(&data, true);
    assert_eq!(sql(&urls[0], "select 1").unwrap(), "1");
    owner.kill().unwrap();
    owner.wait().unwrap();
    eventually("the folder is gone", || !data.exists());
    eventually("no process is left", || processes(&data).is_empty());
    assert!(redis(&urls[1], "PING").is_err());
}

#[test]
fn killing_the_owner_stops_its_servers() {
    let holder = tempfile::tempdir().unwrap();
    let data = data_dir(&holder);
    let (mut owner, urls) = owner::start_servers(&data, false);
    assert_eq!(redis(&urls[1], "PING").unwrap(), "+PONG");
    assert_eq!(sql(&urls[0], "select 1").unwrap(), "1");
    assert!(processes(&data).len() >= 4, "{:?}", processes(&data));
    owner.kill().unwrap();
    owner.wait().unwrap();
    eventually("no process is left", || processes(&data).is_empty());
    eventually("Redis is gone", || redis(&urls[1], "PING").is_err());
    assert!(!data.join("postgres/postmaster.pid").exists(), "the shutdown was not graceful");
}

#[test]
fn a_stale_data_folder_is_recovered() {
    let holder = tempfile::tempdir().unwrap();
    let data = data_dir(&holder);
    let (mut owner, urls) = owner::start_servers(&data, false);
    sql(&urls[0], "create table kept (n int); insert into kept values (42)").unwrap();
    owner.kill().unwrap();
    owner.wait().unwrap();
    // Immediately: its servers are still shutting down.
    let servers = Servers::start_blocking(options(&data)).unwrap();
    assert_eq!(sql(servers.database_url().unwrap(), "select n from kept").unwrap(), "42");
    drop(servers);
    eventually("no process is left", || processes(&data).is_empty());

    // A pid file of a live process that is not Postgres: the pid was reused.
    fs::write(data.join("postgres/postmaster.pid"), format!("{}\n", std::process::id())).unwrap();
    let servers = Servers::start_blocking(options(&data)).unwrap();
    assert_eq!(sql(servers.database_url().unwrap(), "select n from kept").unwrap(), "42");
    drop(servers);
    eventually("no process is left", || processes(&data).is_empty());

    // A lost password must not lose data.
    fs::remove_file(data.join("postgres.password")).unwrap();
    let servers = Servers::start_blocking(options(&data)).unwrap();
    assert_eq!(sql(servers.database_url().unwrap(), "select n from kept").unwrap(), "42");
    let mode = fs::metadata(data.join("postgres.password")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(servers);
    eventually("no process is left", || processes(&data).is_empty());
}

#[test]
fn the_next_start_stops_a_server_without_supervisor() {
    let holder = tempfile::tempdir().unwrap();
    let data = data_dir(&holder);
    let (mut owner, urls) = owner::start_servers(&data, false);
    let is_server = |line: &str| line.contains("bin/postgres -D") && !line.contains("parlance-server");
    for line in processes(&data).iter().filter(|line| line.contains("parlance-server")) {
        let pid = line.split_whitespace().next().unwrap();
        Command::new("kill").args(["-9", pid]).status().unwrap();
    }
    owner.kill().unwrap();
    owner.wait().unwrap();
    thread::sleep(Duration::from_millis(300));
    let old: Vec<_> = processes(&data).into_iter().filter(|line| is_server(line)).collect();
    assert_eq!(old.len(), 1, "{old:?}");
    assert_eq!(redis(&urls[1], "PING").unwrap(), "+PONG");
    let servers = Servers::start_blocking(Options { redis: true, ..options(&data) }).unwrap();
    assert_eq!(sql(servers.database_url().unwrap(), "select 1").unwrap(), "1");
    assert!(processes(&data).iter().all(|line| *line != old[0]));
    eventually("the old Redis is gone", || redis(&urls[1], "PING").is_err());
    drop(servers);
    eventually("no process is left", || processes(&data).is_empty());
}

#[test]
fn a_folder_in_use_is_refused() {
    let holder = tempfile::tempdir().unwrap();
    let data = data_dir(&holder);
    let (mut owner, _) = owner::start_servers(&data, false);
    let error = Servers::start_blocking(options(&data)).unwrap_err();
    assert!(matches!(error, Error::InUse { pid: Some(pid), .. } if pid == owner.id()), "{error}");
    owner.kill().unwrap();
    owner.wait().unwrap();
    eventually("no process is left", || processes(&data).is_empty());
}

#[test]
fn a_failed_start_reports_the_last_log_lines() {
    let holder = tempfile::tempdir().unwrap();
    let data = data_dir(&holder);
    drop(Servers::start_blocking(options(&data)).unwrap());
    eventually("no process is left", || processes(&data).is_empty());
    let settings = data.join("postgres/postgresql.conf");
    fs::write(&settings, "wal_leval = replica\n").unwrap();
    let error = Servers::start_blocking(options(&data)).unwrap_err();
    assert!(matches!(error, Error::NotStarted { server: "PostgreSQL", .. }));
    assert!(error.to_string().contains("unrecognized configuration parameter \"wal_leval\""), "{error}");
    assert!(error.to_string().contains("logs/postgres.log"), "{error}");
    assert_eq!(processes(&data), [""; 0]);

    fs::write(data.join("postgres/PG_VERSION"), "17\n").unwrap();
    let error = Servers::start_blocking(options(&data)).unwrap_err();
    assert!(matches!(error, Error::OtherVersion { .. }), "{error}");
}

#[test]
fn restarted_servers_keep_their_ports_under_any_runtime() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let servers = runtime().block_on(Servers::ephemeral(&default_cache_dir())).unwrap();
    let (url, redis_url) = (servers.database_url().unwrap(), servers.redis_url().unwrap());
    sql(url, "create table kept (n int); insert into kept values (42)").unwrap();
    redis(redis_url, "SET a b").unwrap();

    runtime().block_on(servers.stop_redis()).unwrap();
    assert!(redis(redis_url, "PING").is_err());
    // Another process holds the port for a moment.
    let address = redis_url.split_once('@').unwrap().1.strip_suffix("/0").unwrap();
    let squatter = std::net::TcpListener::bind(address).unwrap();
    let release = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        drop(squatter);
    });
    runtime().block_on(servers.start_redis()).unwrap();
    release.join().unwrap();
    assert_eq!(redis(redis_url, "GET a").unwrap(), "$-1");

    runtime().block_on(servers.stop_postgres()).unwrap();
    assert!(sql(url, "select 1").is_err());
    runtime().block_on(servers.start_postgres()).unwrap();
    assert_eq!(sql(url, "select n from kept").unwrap(), "42");

    let started = Instant::now();
    runtime().block_on(servers.stop()).unwrap();
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(sql(url, "select 1").is_err());
}

#[tokio::test]
async fn servers_that_were_not_requested_are_not_started() {
    let holder = tempfile::tempdir().unwrap();
    let data = holder.path().join("data");
    let no_servers = Options { postgres: false, ..options(&data) };
    let servers = Servers::start(no_servers).await.unwrap();
    assert_eq!((servers.database_url(), servers.redis_url(), servers.model_dir()), (None, None, None));
    assert!(matches!(servers.stop_redis().await, Err(Error::NotRequested("Redis"))));
    assert!(!data.exists());
}
