//! `parlance`: one binary, many roles.

use std::process::ExitCode;

use clap::Parser;

mod args;
mod demo;
mod doctor;
mod eval;
mod fetch;
mod local;
mod log;
mod models;
mod operator;
mod roles;
mod steering;
mod traces;
mod up;

use args::{Args, Command, Worker, WorkerCommand};

fn main() -> ExitCode {
    let args = Args::parse();
    if let Command::Extract = args.command {
        // Before anything else: no setting is read, no thread started, nothing opened.
        return parlance_extract::child::run();
    }
    match run(args) {
        Ok(code) => code,
        Err(error) => {
            say_error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> anyhow::Result<ExitCode> {
    if let Command::Openapi = args.command {
        out(&parlance_api::openapi_json());
        return Ok(ExitCode::SUCCESS);
    }
    let config = parlance_core::platform::config::Config::from_env()?;
    parlance_core::platform::tls::install();
    let _traces = log::init(&config, args.command.service())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let data_dir = args.data_dir;
        match args.command {
            Command::Up(up) => up::run(config, &data_dir, &up).await?,
            Command::Api => roles::api(config).await?,
            Command::Worker(Worker { command: Some(WorkerCommand::List), .. }) => {
                steering::workers(config, &data_dir).await?;
            }
            Command::Worker(worker) => roles::worker(config, &worker).await?,
            Command::Job(command) => steering::job(config, &data_dir, command).await?,
            Command::Eval(eval) => eval::run(config, &data_dir, &eval).await?,
            Command::Migrate => operator::migrate(config, &data_dir).await?,
            Command::Tenant(command) => operator::tenant(config, &data_dir, command).await?,
            Command::Key(command) => operator::key(config, &data_dir, command).await?,
            Command::Fetch(to) => fetch::run(config, to.into).await?,
            Command::Doctor => return doctor::run(&config, &data_dir).await,
            Command::Openapi | Command::Extract => {}
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// What a command answers goes to standard output, everything else to the log.
#[expect(clippy::print_stdout, reason = "the one door to standard output")]
pub(crate) fn out(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "the log may not be there yet")]
fn say_error(error: &anyhow::Error) {
    eprintln!("parlance: {error:#}");
}
