//! Pinned wheels: parses the requirement files of each platform.

use super::Part;

/// One pinned wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wheel {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
}

impl Wheel {
    /// The wheel of a part, if the requirements list one.
    pub(crate) fn find(requirements: &str, part: Part) -> Option<Self> {
        let mut bytes = 0;
        for line in requirements.lines() {
            if let Some(size) = line.strip_prefix("# bytes: ") {
                bytes = size.trim().parse().unwrap_or(0);
            }
            let Some((pin, sha256)) = line.split_once(" --hash=sha256:") else {
                continue;
            };
            let Some((name, version)) = pin.split_once("==") else {
                continue;
            };
            if name == part.package() {
                let (name, version, sha256) = (name.to_owned(), version.to_owned(), sha256.trim().to_owned());
                return Some(Self { name, version, sha256, bytes });
            }
        }
        None
    }

    /// The requirement line with the hash, which pip verifies.
    pub(crate) fn requirement(&self) -> String {
        format!("{}=={} --hash=sha256:{}\n", self.name, self.version, self.sha256)
    }

    /// The name of the unpacked folder; it contains the hash.
    pub(crate) fn folder(&self) -> String {
        format!("{}-{}-{}", self.name, self.version, self.sha256.get(..8).unwrap_or(&self.sha256))
    }

    /// The name in messages.
    pub(crate) fn label(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

/// A platform with its pinned wheels.
#[derive(Debug, Clone)]
pub(crate) struct Platform {
    pub(crate) name: String,
    pub(crate) requirements: String,
    /// Wheel tags to request. Always wheels of CPython 3.11, whichever Python runs pip: only the libraries
    /// and programs in them are used.
    pub(crate) tags: &'static [&'static str],
}

impl Platform {
    /// The current platform; without requirements if it is unsupported.
    pub(crate) fn current() -> Self {
        let (os, processor) = (std::env::consts::OS, std::env::consts::ARCH);
        let (requirements, tags): (&str, &'static [&'static str]) = match (os, processor) {
            ("linux", "x86_64") => (
                include_str!("../../requirements/linux-x86_64.txt"),
                &[
                    "manylinux_2_28_x86_64",
                    "manylinux_2_27_x86_64",
                    "manylinux2014_x86_64",
                    "manylinux_2_17_x86_64",
                ],
            ),
            ("linux", "aarch64") => (
                include_str!("../../requirements/linux-aarch64.txt"),
                &[
                    "manylinux_2_28_aarch64",
                    "manylinux_2_27_aarch64",
                    "manylinux2014_aarch64",
                    "manylinux_2_17_aarch64",
                ],
            ),
            ("macos", "aarch64") => (
                include_str!("../../requirements/macos-arm64.txt"),
                &["macosx_14_0_arm64", "macosx_11_0_arm64"],
            ),
            ("macos", "x86_64") => (
                include_str!("../../requirements/macos-x86_64.txt"),
                // The last tag is for the model, which has no wheel for this platform and needs none. The
                // pinned hashes exclude other wheels with that tag.
                &["macosx_14_0_x86_64", "macosx_10_13_x86_64", "macosx_11_0_arm64"],
            ),
            _ => ("", &[]),
        };
        Self { name: format!("{os} on {processor}"), requirements: requirements.to_owned(), tags }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Model, *};

    #[test]
    fn every_requirement_file_is_whole() {
        let files = [
            (include_str!("../../requirements/linux-x86_64.txt"), 5),
            (include_str!("../../requirements/linux-aarch64.txt"), 4),
            (include_str!("../../requirements/macos-arm64.txt"), 4),
            (include_str!("../../requirements/macos-x86_64.txt"), 3),
        ];
        for (text, wheels) in files {
            let found: Vec<_> = Part::ALL.iter().filter_map(|part| Wheel::find(text, *part)).collect();
            assert_eq!(found.len(), wheels);
            for wheel in found {
                assert_eq!(wheel.sha256.len(), 64, "{wheel:?}");
                assert!(wheel.bytes > 1_000_000, "{wheel:?}");
                assert!(text.contains(wheel.requirement().as_str()), "{wheel:?}");
            }
        }
    }

    #[test]
    fn a_first_start_fetches_at_most_180_megabytes() {
        for text in [
            include_str!("../../requirements/linux-x86_64.txt"),
            include_str!("../../requirements/linux-aarch64.txt"),
            include_str!("../../requirements/macos-arm64.txt"),
            include_str!("../../requirements/macos-x86_64.txt"),
        ] {
            let first = [Part::Postgres, Part::Redis, Part::OnnxRuntime, Model::default().part()];
            let sum: u64 = first.iter().filter_map(|part| Some(Wheel::find(text, *part)?.bytes)).sum();
            assert!(sum <= 180_000_000, "{sum}");
        }
    }
}
