//! The example programs of the reference: the same calls, with the base URL and the key of the test.

use std::io;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use parlance_testing::Stage;
use tokio::process::Command;
use tokio::time::timeout;

use crate::stage;

/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_documented_python_example_runs() {
    let stage = stage().await;
    succeeded(&run("python3", "example.py", &stage).await.unwrap(), "Total messages: ");
    stage.end().await;
}

#[tokio::test]
async fn the_documented_javascript_example_runs() {
    let stage = stage().await;
    match run("node", "example.mjs", &stage).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            eprintln!("not checked: Node.js is not installed");
        }
        output => succeeded(&output.unwrap(), "Analytics: "),
    }
    stage.end().await;
}

/// Runs a program of `fixtures/` against the stage, with its owner's key.
async fn run(interpreter: &str, program: &str, stage: &Stage) -> io::Result<Output> {
    let child = Command::new(interpreter)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(program))
        .arg(format!("{}/api/v1", stage.http.url()))
        .arg(stage.http.key().unwrap())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    timeout(PATIENCE, child.wait_with_output()).await?
}

/// Checks that a program found nothing unexpected, and came to the last thing that it prints.
fn succeeded(output: &Output, last: &str) {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success() && out.contains(last), "{}\n{out}\n{err}", output.status);
}
