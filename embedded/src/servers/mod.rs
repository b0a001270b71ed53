//! Starts and stops the requested servers and parts with one call.

mod data_dir;
mod guard;
mod launch;
mod port;
mod postgres;
mod redis;
mod running;

use std::{
    fs::Permissions,
    os::unix::fs::PermissionsExt,
    panic::resume_unwind,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, ScopedJoinHandle},
};

use crate::{
    Error, Result,
    account::{self, Account},
    model::Precision,
    parts::{Model, Parts},
};
use data_dir::DataDir;
use guard::Guard;
use postgres::Postgres;
use redis::Redis;
use running::{Running, Server};

/// What to start, and where its data is.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder for the servers' data, logs and passwords.
    pub data_dir: PathBuf,
    /// Cache folder for fetched parts; see [`crate::default_cache_dir`].
    pub cache_dir: PathBuf,
    /// Start a private Postgres.
    pub postgres: bool,
    /// Start a private Redis.
    pub redis: bool,
    /// Prepare this embedding model in this precision.
    pub model: Option<(Model, Precision)>,
    /// Prepare ONNX Runtime.
    pub onnxruntime: bool,
    /// For tests: the data folder is removed with the servers, and durability is traded for speed.
    pub ephemeral: bool,
}

/// Running servers and prepared parts. The servers stop when the last clone is dropped, and when the process
/// ends for any reason.
#[derive(Debug, Clone)]
pub struct Servers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    // Drop order: the servers first, then the cleaner and the folder lock.
    postgres: Option<Running<Postgres>>,
    redis: Option<Running<Redis>>,
    onnxruntime: Option<PathBuf>,
    model: Option<PathBuf>,
    cleaner: Mutex<Option<Guard>>,
    data: Option<DataDir>,
}

impl Servers {
    /// Fetches missing parts and starts the requested servers.
    ///
    /// # Errors
    /// When a part cannot be fetched or a server cannot be started; the message states the remedy.
    pub async fn start(options: Options) -> Result<Self> {
        blocking(move || Self::start_blocking(options)).await
    }

    /// Blocking [`Servers::start`], for callers without a runtime.
    ///
    /// # Errors
    /// As [`Servers::start`].
    pub fn start_blocking(options: Options) -> Result<Self> {
        Self::start_with(&Parts::new(&options.cache_dir), options)
    }

    /// As [`Servers::start_blocking`], with preconfigured parts.
    ///
    /// # Errors
    /// As [`Servers::start`].
    pub fn start_with(parts: &Parts, options: Options) -> Result<Self> {
        let any_server = options.postgres || options.redis;
        let data =
            any_server.then(|| DataDir::claim(&options.data_dir, Account::unprivileged()?)).transpose()?;
        if let Some(account) = data.as_ref().and_then(DataDir::account) {
            parts.make_accessible_to(account)?;
        }
        // The cleaner starts before the first write that it would have to clean up.
        let cleaner = data.as_ref().filter(|_| options.ephemeral).map(clean_up_after).transpose()?;

        let (postgres, redis, onnxruntime, model) = thread::scope(|scope| {
            let postgres = scope.spawn(|| {
                data.as_ref().filter(|_| options.postgres).map(|data| {
                    let server = Postgres::prepare(parts.postgres_bin()?, data, options.ephemeral)?;
                    Running::start(server, data)
                })
            });
            let redis = scope.spawn(|| {
                data.as_ref().filter(|_| options.redis).map(|data| {
                    let usable = |path: &Path| data.account().is_none_or(|account| account.can_reach(path));
                    Running::start(Redis::prepare(parts.redis_server_for(usable)?, data)?, data)
                })
            });
            let onnxruntime = scope.spawn(|| options.onnxruntime.then(|| parts.onnxruntime()));
            let model = options.model.map(|(model, precision)| parts.model(model, precision));
            (join(postgres), join(redis), join(onnxruntime), model)
        });
        Ok(Self(Arc::new(Inner {
            postgres: postgres.transpose()?,
            redis: redis.transpose()?,
            onnxruntime: onnxruntime.transpose()?,
            model: model.transpose()?,
            cleaner: Mutex::new(cleaner),
            data,
        })))
    }

    /// Postgres and Redis for tests, in a temporary folder that is removed when they stop.
    ///
    /// # Errors
    /// As [`Servers::start`].
    pub async fn ephemeral(cache_dir: &Path) -> Result<Self> {
        let cache_dir = cache_dir.to_owned();
        blocking(move || Self::ephemeral_blocking(&cache_dir)).await
    }

    /// Blocking [`Servers::ephemeral`], for callers without a runtime.
    ///
    /// # Errors
    /// As [`Servers::start`].
    pub fn ephemeral_blocking(cache_dir: &Path) -> Result<Self> {
        // As root the servers run as another user, who must be able to enter the folder.
        let mode = if account::is_root() { 0o711 } else { 0o700 };
        let mut builder = tempfile::Builder::new();
        let created = builder.prefix("parlance-").permissions(Permissions::from_mode(mode)).tempdir();
        let data_dir = created.map_err(Error::io("create a folder in", &std::env::temp_dir()))?.keep();
        Self::start_blocking(Options {
            data_dir,
            cache_dir: cache_dir.to_owned(),
            postgres: true,
            redis: true,
            model: None,
            onnxruntime: false,
            ephemeral: true,
        })
    }

    /// The URL of the private Postgres, with its password. The role owns its database, may create databases
    /// and roles, and is not a superuser. Every database has the extension `vector`.
    #[must_use]
    pub fn database_url(&self) -> Option<&str> {
        self.0.postgres.as_ref().map(|running| running.url.as_str())
    }

    /// The URL of the private Redis, with its password.
    #[must_use]
    pub fn redis_url(&self) -> Option<&str> {
        self.0.redis.as_ref().map(|running| running.url.as_str())
    }

    /// Path of the ONNX Runtime library.
    #[must_use]
    pub fn onnxruntime(&self) -> Option<&Path> {
        self.0.onnxruntime.as_deref()
    }

    /// The folder of the converted model.
    #[must_use]
    pub fn model_dir(&self) -> Option<&Path> {
        self.0.model.as_deref()
    }

    /// Stops Redis and loses its data; [`Servers::start_redis`] starts it again.
    ///
    /// # Errors
    /// When Redis was not requested.
    pub async fn stop_redis(&self) -> Result<()> {
        self.on_redis(|running, _| {
            running.stop();
            Ok(())
        })
        .await
    }

    /// Restarts Redis on the same port with the same password.
    ///
    /// # Errors
    /// When it does not start, or was not requested.
    pub async fn start_redis(&self) -> Result<()> {
        self.on_redis(Running::restart).await
    }

    /// Stops Postgres; [`Servers::start_postgres`] starts it again.
    ///
    /// # Errors
    /// When Postgres was not requested.
    pub async fn stop_postgres(&self) -> Result<()> {
        self.on_postgres(|running, _| {
            running.stop();
            Ok(())
        })
        .await
    }

    /// Restarts Postgres on the same port with the same password.
    ///
    /// # Errors
    /// When it does not start, or was not requested.
    pub async fn start_postgres(&self) -> Result<()> {
        self.on_postgres(Running::restart).await
    }

    /// Stops all servers gracefully, within ten seconds. Idempotent.
    ///
    /// # Errors
    /// When the runtime shuts down meanwhile.
    pub async fn stop(&self) -> Result<()> {
        let inner = Arc::clone(&self.0);
        blocking(move || {
            thread::scope(|scope| {
                scope.spawn(|| inner.redis.as_ref().map(Running::stop));
                inner.postgres.as_ref().map(Running::stop)
            });
            let cleaner = inner.cleaner.lock().unwrap_or_else(PoisonError::into_inner).take();
            cleaner.map(Guard::stop);
            Ok(())
        })
        .await
    }

    async fn on_redis(&self, act: fn(&Running<Redis>, &DataDir) -> Result<()>) -> Result<()> {
        let inner = Arc::clone(&self.0);
        blocking(move || act_on(inner.redis.as_ref(), inner.data.as_ref(), act)).await
    }

    async fn on_postgres(&self, act: fn(&Running<Postgres>, &DataDir) -> Result<()>) -> Result<()> {
        let inner = Arc::clone(&self.0);
        blocking(move || act_on(inner.postgres.as_ref(), inner.data.as_ref(), act)).await
    }
}

fn act_on<S: Server>(
    running: Option<&Running<S>>,
    data: Option<&DataDir>,
    act: fn(&Running<S>, &DataDir) -> Result<()>,
) -> Result<()> {
    let (running, data) = running.zip(data).ok_or(Error::NotRequested(S::NAME))?;
    act(running, data)
}

/// Starts the cleaner, which removes the folders of ephemeral servers after their stop, also when we are
/// killed. Postgres removes its pid file on exit; a killed one does not, hence the timeout.
fn clean_up_after(data: &DataDir) -> Result<Guard> {
    const SCRIPT: &str = r#"
read -r _
pid_file=$1 tenths=100
shift
while [ -e "$pid_file" ] && [ "$tenths" -gt 0 ]; do
  sleep 0.1
  tenths=$((tenths - 1))
done
rm -rf -- "$@" || { sleep 1; rm -rf -- "$@"; }
"#;
    let pid_file = data.server_folder("postgres").join("postmaster.pid");
    let arguments: Vec<_> =
        std::iter::once(pid_file.as_path()).chain(data.folders()).map(Into::into).collect();
    let (log, _) = data.log("cleaner")?.open()?;
    Guard::run_at_exit(SCRIPT, &arguments, log).map_err(Error::io("run", Path::new("/bin/sh")))
}

fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// Runs blocking work. Server handles are not tied to a runtime: tests with a runtime each can share servers.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => Err(Error::ShutDown),
        },
    }
}
