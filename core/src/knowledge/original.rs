//! Original content of a source: validation, hashing, naming and storage.

use std::ops::Deref;
use std::time::Duration;

use bytes::Bytes;
use parlance_extract::file_types::{self, Format};
use sha2::{Digest, Sha256};

use super::site::Site;
use super::{MAX_FILE_BYTES, SourceType, store};
use crate::context::Context;
use crate::error::{Error, Problem, Result};
use crate::field::{Invalid, Name, is_blank, without_nul};
use crate::ids::{SourceId, TenantId};
use crate::platform::fair_queue::Caller;
use crate::platform::outage::outlast;

/// How long after an outage an unused file is looked for.
const UNUSED_CHECKED_FOR: Duration = Duration::from_secs(60);

/// An uploaded file.
#[derive(Clone, Debug)]
pub struct File {
    /// Name as sent by the client.
    pub name: String,
    /// The content.
    pub bytes: Bytes,
}

/// New original of a source: a file, a text or a web site.
#[derive(Clone, Debug)]
pub struct Original {
    pub(super) source_type: SourceType,
    /// Name from the request, or of the file or site.
    pub(super) name: String,
    /// File name, safe in a path.
    pub(super) file_name: Option<String>,
    pub(super) media_type: &'static str,
    pub(super) bytes: Bytes,
    /// The web site; it has no bytes before the crawl.
    pub(super) site: Option<Site>,
}

/// An original with its hash, ready to be stored.
#[derive(Clone, Debug)]
pub(super) struct Hashed {
    original: Original,
    pub(super) hash: [u8; 32],
}

impl Deref for Hashed {
    type Target = Original;

    fn deref(&self) -> &Original {
        &self.original
    }
}

impl Original {
    /// Creates the original of a file.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above [`MAX_FILE_BYTES`], [`Error::Invalid`] for an unsupported type.
    pub fn of_file(file: File) -> Result<Self> {
        let name = plain_name(&file.name).ok_or_else(|| Error::Invalid(vec![Problem::missing("file")]))?;
        let file_type = file_types::upload_type(&name).ok_or_else(|| {
            let extensions: Vec<_> = file_types::upload_extensions().map(|name| format!(".{name}")).collect();
            let message = format!("The 'file' field must be of a supported type: {}", extensions.join(", "));
            Error::invalid("file", message)
        })?;
        if file.bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(Error::TooLarge { limit_bytes: MAX_FILE_BYTES });
        }
        Ok(Self {
            source_type: SourceType::File,
            file_name: Some(safe_name(&name)),
            name,
            media_type: file_type.format.media_type(),
            bytes: file.bytes,
            site: None,
        })
    }

    /// Creates the original of a text, parsed as Markdown, of which plain text is a subset.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is blank, [`Error::TooLarge`] above [`MAX_FILE_BYTES`].
    pub fn of_text(text: String) -> Result<Self> {
        if is_blank(&text) {
            return Err(Error::invalid("content", "The 'content' field must not be blank"));
        }
        without_nul(&text).map_err(|invalid: Invalid| invalid.in_field("content"))?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(Error::TooLarge { limit_bytes: MAX_FILE_BYTES });
        }
        Ok(Self {
            source_type: SourceType::Text,
            name: String::new(),
            file_name: None,
            media_type: Format::Markdown.media_type(),
            bytes: text.into(),
            site: None,
        })
    }

    /// Creates the original of a web site.
    #[must_use]
    pub fn of_site(site: Site) -> Self {
        Self {
            source_type: SourceType::Url,
            name: site.name().chars().take(Name::MAX_LENGTH).collect(),
            file_name: None,
            media_type: Format::Html.media_type(),
            bytes: Bytes::new(),
            site: Some(site),
        }
    }

    /// Replaces the name.
    #[must_use]
    pub fn named(self, name: Name) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Hashes the content, off this thread if it is long.
    pub(super) async fn hashed(self, ctx: &Context, tenant: TenantId) -> Result<Hashed> {
        let hash = match &self.site {
            Some(site) => site.hash(),
            None => {
                let bytes = self.bytes.clone();
                let digest = move || Sha256::digest(&bytes).into();
                ctx.cpu().scan(Caller::interactive(tenant), self.bytes.len(), digest).await?
            }
        };
        Ok(Hashed { original: self, hash })
    }

    /// Size in bytes; `None` for a web site.
    pub(super) fn size(&self) -> Option<i64> {
        self.site.is_none().then(|| i64::try_from(self.bytes.len()).ok()).flatten()
    }
}

/// Deletes a stored original that no version of the source uses. After an outage of the database, which may have
/// committed the version although its response was lost, this is checked in the background. A failure is logged: the
/// caller has another one to report.
pub(super) async fn delete_unused(ctx: &Context, tenant: TenantId, source: SourceId, key: String) {
    let ctx = ctx.clone();
    outlast("deleting an unused file", UNUSED_CHECKED_FOR, move || {
        let (ctx, key) = (ctx.clone(), key.clone());
        async move {
            if store::uses_file(ctx.db().reading(tenant), tenant, source, &key).await? {
                return Ok(());
            }
            ctx.blob().delete(&key).await
        }
    })
    .await;
}

impl Hashed {
    /// Stores the bytes under a new key, so that no version overwrites another, and returns the key. `None` for
    /// a web site.
    pub(super) async fn store(
        &self,
        ctx: &Context,
        tenant: TenantId,
        source: SourceId,
    ) -> Result<Option<String>> {
        if self.site.is_some() {
            return Ok(None);
        }
        let key = format!("{tenant}/{source}/{}", uuid::Uuid::now_v7().simple());
        ctx.blob().put(&key, self.bytes.clone()).await?;
        Ok(Some(key))
    }
}

/// Last segment of the client's file name: old browsers send whole paths.
fn plain_name(raw: &str) -> Option<String> {
    let last = raw.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|c| !c.is_control()).take(Name::MAX_LENGTH).collect();
    let name = name.trim().to_owned();
    (!name.is_empty()).then_some(name)
}

/// Converts a name to a path segment that needs no quoting on any system or in any shell.
fn safe_name(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' })
        .collect::<String>()
        .trim_start_matches('.')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::{plain_name, safe_name};

    #[test]
    fn a_name_is_never_a_path() {
        for (raw, plain, safe) in [
            ("report.md", "report.md", "report.md"),
            ("../../etc/passwd.md", "passwd.md", "passwd.md"),
            (r"C:\docs\My File (1).md", "My File (1).md", "My-File--1-.md"),
            ("Größe?.md", "Größe?.md", "Größe-.md"),
            (".hidden.md", ".hidden.md", "hidden.md"),
        ] {
            let name = plain_name(raw).unwrap();
            assert_eq!((name.as_str(), safe_name(&name).as_str()), (plain, safe));
        }
        assert_eq!(plain_name("  "), None);
        assert_eq!(plain_name("a/"), None);
    }
}
