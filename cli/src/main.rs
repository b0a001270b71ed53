//! `parlance`: one binary for every role.

use std::process::ExitCode;

use clap::Parser;

mod args;
mod data_dir;
mod demo;
mod doctor;
mod eval;
mod fetch;
mod jobs;
mod log;
mod memory_trim;
mod models;
mod output;
mod private_servers;
mod process;
mod roles;
mod settings;
mod tenants;
mod traces;
mod up;

use args::{Args, Command, Worker, WorkerCommand};
use output::out;

fn main() -> ExitCode {
    let args = Args::parse();
    if let Command::Extract = args.command {
        // First, so that the child starts with no settings read, no threads and no open files.
        return parlance_extract::child::run();
    }
    if let Command::Recognise(recognise) = &args.command {
        return parlance_extract::recogniser::run(&recognise.program, &recognise.languages, recognise.dpi);
    }
    match run(args) {
        Ok(code) => code,
        Err(error) => {
            print_error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> anyhow::Result<ExitCode> {
    if let Command::Openapi = args.command {
        out(&parlance_api::openapi_json());
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::Settings(settings) = &args.command {
        out(settings::render(settings.format).trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let config = parlance_core::platform::config::Config::from_env()?;
    parlance_core::platform::tls::install();
    let _traces = log::init(&config, args.command.service())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.spawn(memory_trim::run());
    runtime.block_on(async {
        let data_dir = args.data_dir;
        match args.command {
            Command::Up(up) => up::run(config, &data_dir, &up).await?,
            Command::Api => roles::api(config).await?,
            Command::Worker(Worker { command: Some(WorkerCommand::List), .. }) => {
                jobs::list_workers(config, &data_dir).await?;
            }
            Command::Worker(worker) => roles::worker(config, &worker).await?,
            Command::Job(command) => jobs::run(config, &data_dir, command).await?,
            Command::Eval(eval) => eval::run(config, &data_dir, &eval).await?,
            Command::Migrate => tenants::migrate(config, &data_dir).await?,
            Command::Tenant(command) => tenants::run(config, &data_dir, command).await?,
            Command::Key(command) => tenants::run_key(config, &data_dir, command).await?,
            Command::Fetch(to) => fetch::run(config, to.into).await?,
            Command::Doctor => return doctor::run(&config, &data_dir).await,
            Command::Openapi | Command::Settings(_) | Command::Extract | Command::Recognise(_) => {}
        }
        Ok(ExitCode::SUCCESS)
    })
}

#[expect(clippy::print_stderr, reason = "the log may not be set up yet")]
fn print_error(error: &anyhow::Error) {
    eprintln!("parlance: {error:#}");
}
