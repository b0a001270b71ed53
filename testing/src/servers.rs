//! PrivateServers servers, shared by the tests of a binary or owned by a single test.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use parlance_core::platform::config::{Config, Embedding};
use parlance_core::platform::db::{self, Db};
use parlance_core::providers::embed::{self, Embedder};
use parlance_embedded::model::Precision;
use parlance_embedded::parts::{Model, Parts};
use parlance_embedded::{Servers, default_cache_dir};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::OnceCell;

/// Template database with the schema: copying it takes milliseconds, migrating takes longer.
const TEMPLATE: &str = "parlance_template";

/// PrivateServers servers of this process; they stop when it ends for any reason.
#[derive(Clone)]
pub struct PrivateServers {
    servers: Servers,
    template: Arc<OnceCell<()>>,
}

impl PrivateServers {
    /// The servers shared by all tests of this binary, or new ones if `own`.
    pub async fn take(own: bool) -> Self {
        static SHARED: OnceCell<PrivateServers> = OnceCell::const_new();
        if own { Self::start().await } else { SHARED.get_or_init(Self::start).await.clone() }
    }

    async fn start() -> Self {
        let servers = Servers::ephemeral(&cache_dir()).await.unwrap();
        Self { servers, template: Arc::default() }
    }

    /// The servers, for stopping and restarting them.
    #[must_use]
    pub fn servers(&self) -> &Servers {
        &self.servers
    }

    pub(crate) fn redis_url(&self) -> String {
        self.servers.redis_url().unwrap().to_owned()
    }

    /// Creates a database with the schema. Returns its URL.
    pub(crate) async fn fresh_database(&self) -> String {
        let name = format!("test_{}", uuid::Uuid::now_v7().simple());
        self.template.get_or_init(|| self.make_template()).await;
        self.execute(&format!("create database {name} template {TEMPLATE}")).await;
        self.url_of(&name)
    }

    /// Deletes all data in Redis.
    pub async fn flush_redis(&self) {
        let _flushed: String = redis::cmd("FLUSHALL").query_async(&mut self.redis().await).await.unwrap();
    }

    /// The TTLs in seconds of the keys that match a pattern; -1 for a key without one.
    pub async fn redis_ttls(&self, pattern: &str) -> Vec<i64> {
        let mut connection = self.redis().await;
        let keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query_async(&mut connection).await.unwrap();
        let mut ttls = Vec::with_capacity(keys.len());
        for key in keys {
            ttls.push(redis::cmd("TTL").arg(key).query_async(&mut connection).await.unwrap());
        }
        ttls
    }

    async fn redis(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.redis_url()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    async fn make_template(&self) {
        self.execute(&format!("create database {TEMPLATE}")).await;
        let mut config = Config::read(|_| None).unwrap().database;
        config.url = Some(self.url_of(TEMPLATE).into());
        let db = Db::new(&config).unwrap();
        db::migrate(&db).await.unwrap();
        db.close().await;
    }

    fn url_of(&self, database: &str) -> String {
        let mut url = url::Url::parse(self.servers.database_url().unwrap()).unwrap();
        url.set_path(database);
        url.into()
    }

    async fn execute(&self, statement: &str) {
        let mut admin = PgConnection::connect(self.servers.database_url().unwrap()).await.unwrap();
        sqlx::query(AssertSqlSafe(statement)).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();
    }
}

/// The default embedding model, loaded once per process.
pub async fn real_embedder() -> Arc<dyn Embedder> {
    static LOADED: OnceCell<Arc<dyn Embedder>> = OnceCell::const_new();
    LOADED.get_or_init(async || embedder_of(model_parts()).await).await.clone()
}

/// The small English embedding model.
pub async fn english_embedder() -> Arc<dyn Embedder> {
    let parts = tokio::task::spawn_blocking(|| {
        let parts = Parts::new(&cache_dir());
        (parts.onnxruntime().unwrap(), parts.model(Model::AllMiniLmL6V2, Precision::Int8).unwrap())
    });
    embedder_of(parts.await.unwrap()).await
}

/// Loads the model of a folder with a library of ONNX Runtime.
async fn embedder_of((library, model): (PathBuf, PathBuf)) -> Arc<dyn Embedder> {
    let config = Embedding {
        model: None,
        model_dir: Some(model),
        model_before: None,
        ort_dylib: Some(library),
        threads: 1,
    };
    embed::from_config(&config, None).await.unwrap()
}

pub(crate) fn model_parts() -> (PathBuf, PathBuf) {
    static PARTS: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    PARTS
        .get_or_init(|| {
            let parts = Parts::new(&cache_dir());
            (parts.onnxruntime().unwrap(), parts.model(Model::default(), Precision::Int8).unwrap())
        })
        .clone()
}

fn cache_dir() -> PathBuf {
    Config::from_env().unwrap().cache_dir.unwrap_or_else(default_cache_dir)
}
