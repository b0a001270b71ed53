//! The documented example programs, with the base URL and API key of the test.

use std::io;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use parlance_testing::TestApp;
use tokio::process::Command;
use tokio::time::timeout;

use crate::start_app;

/// Maximum run time of a program.
const TIMEOUT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_documented_python_example_runs() {
    let app = start_app().await;
    assert_success(&run("python3", "example.py", &app).await.unwrap(), "Total messages: ");
    app.end().await;
}

#[tokio::test]
async fn the_documented_javascript_example_runs() {
    let app = start_app().await;
    match run("node", "example.mjs", &app).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            eprintln!("skipped: Node.js is not installed");
        }
        output => assert_success(&output.unwrap(), "Analytics: "),
    }
    app.end().await;
}

/// Runs a program of `fixtures/` against the application.
async fn run(interpreter: &str, program: &str, app: &TestApp) -> io::Result<Output> {
    let child = Command::new(interpreter)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(program))
        .arg(format!("{}/api/v1", app.http.url()))
        .arg(app.http.key().unwrap())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    timeout(TIMEOUT, child.wait_with_output()).await?
}

/// Asserts that a program succeeded and printed its last line.
fn assert_success(output: &Output, last_line: &str) {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success() && out.contains(last_line), "{}\n{out}\n{err}", output.status);
}
