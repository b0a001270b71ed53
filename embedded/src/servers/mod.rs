//! The facade: one call gives the servers and parts that were asked for.

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

/// What to start and where to keep it.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the servers keep their data, their logs and their passwords.
    pub data_dir: PathBuf,
    /// Where fetched parts are kept; see [`crate::default_cache_dir`].
    pub cache_dir: PathBuf,
    /// Start a private Postgres.
    pub postgres: bool,
    /// Start a private Redis.
    pub redis: bool,
    /// Have this embedding model ready, in this precision.
    pub model: Option<(Model, Precision)>,
    /// Have ONNX Runtime ready.
    pub onnxruntime: bool,
    /// For tests: the data folder is removed with the servers, and its content may be lost with the
    /// machine, in exchange for speed.
    pub ephemeral: bool,
}

/// Running servers and ready parts. The servers stop when the last clone of this is dropped, and when
/// its process ends in any way at all.
#[derive(Debug, Clone)]
pub struct Servers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    // In this order they are dropped: first the servers, then what they stand on.
    postgres: Option<Running<Postgres>>,
    redis: Option<Running<Redis>>,
    onnxruntime: Option<PathBuf>,
    model: Option<PathBuf>,
    cleaner: Mutex<Option<Guard>>,
    data: Option<DataDir>,
}

impl Servers {
    /// Fetches what is missing and starts what was asked for.
    ///
    /// # Errors
    /// When a part cannot be fetched or a server cannot be started; the error says what to do.
    pub async fn start(options: Options) -> Result<Self> {
        blocking(move || Self::start_blocking(options)).await
    }

    /// As [`Servers::start`], for callers without a runtime; it blocks the thread.
    ///
    /// # Errors
    /// As [`Servers::start`].
    pub fn start_blocking(options: Options) -> Result<Self> {
        Self::start_with(&Parts::new(&options.cache_dir), options)
    }

    /// As [`Servers::start_blocking`], with parts that the caller has set up.
    ///
    /// # Errors
    /// As [`Servers::start`].
    pub fn start_with(parts: &Parts, options: Options) -> Result<Self> {
        let any = options.postgres || options.redis;
        let data = any.then(|| DataDir::claim(&options.data_dir, Account::to_drop_to()?)).transpose()?;
        if let Some(account) = data.as_ref().and_then(DataDir::account) {
            parts.open_to(account)?;
        }
        // Before anything is written that it would have to remove.
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
                    let reaches = |path: &Path| data.account().is_none_or(|account| account.reaches(path));
                    Running::start(Redis::prepare(parts.redis_server_for(reaches)?, data)?, data)
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

    /// Postgres and Redis for tests, in a temporary folder that is removed with them.
    ///
    /// # Errors
    /// As [`Servers::start`].
    pub async fn ephemeral(cache_dir: &Path) -> Result<Self> {
        let cache_dir = cache_dir.to_owned();
        blocking(move || Self::ephemeral_blocking(&cache_dir)).await
    }

    /// As [`Servers::ephemeral`], for callers without a runtime; it blocks the thread.
    ///
    /// # Errors
    /// As [`Servers::start`].
    pub fn ephemeral_blocking(cache_dir: &Path) -> Result<Self> {
        // As root the servers run as somebody else, who has to pass.
        let mode = if account::is_root() { 0o711 } else { 0o700 };
        let mut builder = tempfile::Builder::new();
        let made = builder.prefix("parlance-").permissions(Permissions::from_mode(mode)).tempdir();
        let data_dir = made.map_err(Error::io("create a folder in", &std::env::temp_dir()))?.keep();
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

    /// The URL of the private Postgres, password included. Its role owns its database, may create
    /// databases and roles, and is no superuser; every database has the extension `vector` already.
    #[must_use]
    pub fn database_url(&self) -> Option<&str> {
        self.0.postgres.as_ref().map(|running| running.url.as_str())
    }

    /// The URL of the private Redis, password included.
    #[must_use]
    pub fn redis_url(&self) -> Option<&str> {
        self.0.redis.as_ref().map(|running| running.url.as_str())
    }

    /// The ONNX Runtime library, to be loaded by its path.
    #[must_use]
    pub fn onnxruntime(&self) -> Option<&Path> {
        self.0.onnxruntime.as_deref()
    }

    /// The folder of the converted model.
    #[must_use]
    pub fn model_dir(&self) -> Option<&Path> {
        self.0.model.as_deref()
    }

    /// Stops Redis; [`Servers::start_redis`] starts it again. What it held is gone.
    ///
    /// # Errors
    /// When Redis was not asked for.
    pub async fn stop_redis(&self) -> Result<()> {
        self.on_redis(|running, _| {
            running.stop();
            Ok(())
        })
        .await
    }

    /// Starts Redis again, on the port and with the password it had.
    ///
    /// # Errors
    /// When it does not start, or was not asked for.
    pub async fn start_redis(&self) -> Result<()> {
        self.on_redis(Running::start_again).await
    }

    /// Stops Postgres; [`Servers::start_postgres`] starts it again.
    ///
    /// # Errors
    /// When Postgres was not asked for.
    pub async fn stop_postgres(&self) -> Result<()> {
        self.on_postgres(|running, _| {
            running.stop();
            Ok(())
        })
        .await
    }

    /// Starts Postgres again, on the port and with the password it had.
    ///
    /// # Errors
    /// When it does not start, or was not asked for.
    pub async fn start_postgres(&self) -> Result<()> {
        self.on_postgres(Running::start_again).await
    }

    /// Stops every server gracefully, in ten seconds at most. A second call does nothing.
    ///
    /// # Errors
    /// When the runtime is shut down meanwhile.
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
    let (running, data) = running.zip(data).ok_or(Error::NotAsked(S::NAME))?;
    act(running, data)
}

/// Removes the folders of ephemeral servers when they have stopped, also if we are killed. Postgres
/// removes the file when it is gone; one that was killed does not, so there is an end to waiting.
fn clean_up_after(data: &DataDir) -> Result<Guard> {
    const SCRIPT: &str = r#"
read -r _
pid_file=$1 patience=100
shift
while [ -e "$pid_file" ] && [ "$patience" -gt 0 ]; do
  sleep 0.1
  patience=$((patience - 1))
done
rm -rf -- "$@" || { sleep 1; rm -rf -- "$@"; }
"#;
    let pid_file = data.server_folder("postgres").join("postmaster.pid");
    let arguments: Vec<_> =
        std::iter::once(pid_file.as_path()).chain(data.folders()).map(Into::into).collect();
    let (log, _) = data.log("cleaner")?.open()?;
    Guard::when_we_are_gone(SCRIPT, &arguments, log).map_err(Error::io("run", Path::new("/bin/sh")))
}

fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// The servers are processes of their own and their handles are no runtime's, so that one set of
/// servers serves tests with a runtime each.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => Err(Error::ShutDown),
        },
    }
}
