//! What a source is made from, as its owner gave it: checked, named, and stored.

use bytes::Bytes;
use parlance_extract::protocol::Format;
use sha2::{Digest, Sha256};

use super::site::Site;
use super::{MAX_FILE_BYTES, SourceType};
use crate::context::Context;
use crate::error::{Error, Problem, Result};
use crate::ids::{SourceId, TenantId};
use crate::input::{is_blank, without_nul};

/// How long a name may be, in characters; the rest of a file's is cut.
pub(super) const NAME_LENGTH: usize = 255;

/// The extensions that are accepted, for messages.
const EXTENSIONS: &str = ".txt, .md, .csv, .pdf, .docx, .doc";

/// A file as a client sent it.
#[derive(Clone, Debug)]
pub struct File {
    /// Its name, as the client gave it.
    pub name: String,
    /// All of it.
    pub bytes: Bytes,
}

/// The original of a version, ready to be stored.
#[derive(Clone, Debug)]
pub struct Original {
    pub(super) source_type: SourceType,
    /// Of a file: what it is called. A text has no name of its own.
    pub(super) name: String,
    /// Of a file: safe in a path.
    pub(super) file_name: Option<String>,
    pub(super) media_type: &'static str,
    pub(super) bytes: Bytes,
    pub(super) hash: [u8; 32],
    /// Of a web site: where it is. It has no bytes before it is crawled.
    pub(super) site: Option<Site>,
}

impl Original {
    /// A file's.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above [`MAX_FILE_BYTES`], [`Error::Invalid`] for a type that is not supported.
    pub(super) fn of_file(file: File) -> Result<Self> {
        let name = plain_name(&file.name).ok_or_else(|| Error::Invalid(vec![Problem::missing("file")]))?;
        let format = named_format(&name).ok_or_else(|| {
            Error::invalid("file", format!("The 'file' field must be of a supported type: {}", EXTENSIONS))
        })?;
        if file.bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(Error::TooLarge { limit_bytes: MAX_FILE_BYTES });
        }
        Ok(Self {
            source_type: SourceType::File,
            file_name: Some(safe_name(&name)),
            name,
            media_type: format.media_type(),
            hash: Sha256::digest(&file.bytes).into(),
            bytes: file.bytes,
            site: None,
        })
    }

    /// A text's, which is read as Markdown: what is no Markdown reads the same.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is blank, [`Error::TooLarge`] above [`MAX_FILE_BYTES`].
    pub(super) fn of_text(text: String) -> Result<Self> {
        if is_blank(&text) {
            return Err(Error::invalid("content", "The 'content' field must not be blank"));
        }
        without_nul("content", &text)?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(Error::TooLarge { limit_bytes: MAX_FILE_BYTES });
        }
        Ok(Self {
            source_type: SourceType::Text,
            name: String::new(),
            file_name: None,
            media_type: Format::Markdown.media_type(),
            hash: Sha256::digest(&text).into(),
            bytes: text.into(),
            site: None,
        })
    }

    /// A web site's.
    pub(super) fn of_site(site: Site) -> Self {
        Self {
            source_type: SourceType::Url,
            name: site.name().chars().take(NAME_LENGTH).collect(),
            file_name: None,
            media_type: Format::Html.media_type(),
            bytes: Bytes::new(),
            hash: site.hash(),
            site: Some(site),
        }
    }

    /// In bytes; a web site has none before it is crawled.
    pub(super) fn size(&self) -> Option<i64> {
        self.site.is_none().then(|| i64::try_from(self.bytes.len()).ok()).flatten()
    }

    /// Stores it, if there is something to store; gives its key. Each has its own, so that no version
    /// overwrites another's.
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

/// The format that a file's name claims. What it really is, its content says.
fn named_format(name: &str) -> Option<Format> {
    let (_, extension) = name.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "txt" | "text" => Some(Format::Text),
        "md" | "markdown" => Some(Format::Markdown),
        "csv" => Some(Format::Csv),
        "pdf" => Some(Format::Pdf),
        "docx" => Some(Format::Docx),
        "doc" => Some(Format::Doc),
        _ => None,
    }
}

/// The last part of what a client sent as a file's name; clients of old sent whole paths.
fn plain_name(raw: &str) -> Option<String> {
    let last = raw.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|c| !c.is_control()).take(NAME_LENGTH).collect();
    let name = name.trim().to_owned();
    (!name.is_empty()).then_some(name)
}

/// The name as one segment of a path that every system and shell takes as it is.
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
