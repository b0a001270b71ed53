//! Text recognition (OCR) of scanned pages with Tesseract, in a confined process per page.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use parlance_extract::protocol::{Document, Format, Markup, PageImage, Rejection, Verdict, name_pages};
use tokio::process::Command;
use tokio::sync::OnceCell;

use super::{Extraction, exchange};
use crate::error::{Error, Result};

/// Maximum number of recognised pages per file: at some seconds a page, an hour of a core.
pub(super) const MAX_PAGES: usize = 500;

/// Time limit of a page. A dense page of A4 takes three to ten seconds.
const PAGE_TIMEOUT: Duration = Duration::from_secs(90);

/// Time limit of listing the installed languages.
const LIST_TIMEOUT: Duration = Duration::from_secs(10);

/// Minimum mean confidence of a page's words, in percent. Pictures without text yield words below it.
const MIN_CONFIDENCE: f32 = 50.0;

/// Minimum confidence of a word, in percent. Specks and lines yield words below it.
const MIN_WORD_CONFIDENCE: f32 = 20.0;

/// Language added to every recognition, because names and terms are English in many documents.
const ALWAYS: &str = "eng";

/// Starts the text recognition program.
#[derive(Debug)]
pub(super) struct Recogniser {
    /// Program started as `PROGRAM recognise`, which confines itself and then executes Tesseract.
    wrapper: PathBuf,
    tesseract: PathBuf,
    /// Names of the installed language data, in order; listed once.
    languages: OnceCell<Vec<String>>,
}

impl Recogniser {
    pub(super) fn new(wrapper: &Path, tesseract: &Path) -> Self {
        Self { wrapper: wrapper.to_owned(), tesseract: tesseract.to_owned(), languages: OnceCell::new() }
    }

    /// The text of a page; `None` if no text can be read.
    ///
    /// # Errors
    /// When the program cannot be started or has no language data.
    pub(super) async fn read(
        &self,
        image: PageImage,
        pixels: Bytes,
        language: &str,
    ) -> Result<Option<String>> {
        let languages = choose(self.languages().await?, language);
        let header = format!("P5\n{} {}\n255\n", image.width, image.height);
        let mut command = Command::new(&self.wrapper);
        command.arg("recognise").arg(&self.tesseract).arg(languages).arg(image.dpi.to_string());
        let output = exchange(command, header.as_bytes(), &pixels, PAGE_TIMEOUT).await?;
        Ok(output.filter(|(status, _)| status.success()).and_then(|(_, table)| text(&table)))
    }

    /// The installed languages, at least one.
    pub(super) async fn languages(&self) -> Result<&[String]> {
        Ok(self.languages.get_or_try_init(|| self.list_languages()).await?)
    }

    /// Lists the installed languages, without the data for page orientation.
    async fn list_languages(&self) -> Result<Vec<String>> {
        let mut command = Command::new(&self.tesseract);
        command.arg("--list-langs");
        let output = exchange(command, &[], &[], LIST_TIMEOUT).await?;
        let (_, list) = output.ok_or_else(|| Error::internal("tesseract does not answer", "timeout"))?;
        let list = String::from_utf8_lossy(&list);
        // The first line is a heading.
        let names: Vec<String> =
            list.lines().skip(1).filter(|name| *name != "osd").map(str::to_owned).collect();
        if names.is_empty() {
            return Err(Error::internal("no language data", self.tesseract.display().to_string()));
        }
        Ok(names)
    }
}

/// The language and English, as far as they are installed; any installed language if neither is.
fn choose(installed: &[String], language: &str) -> String {
    let mut chosen: Vec<&str> = Vec::new();
    for name in [language, ALWAYS] {
        if !chosen.contains(&name) && installed.iter().any(|known| known == name) {
            chosen.push(name);
        }
    }
    if chosen.is_empty() {
        chosen.extend(installed.first().map(String::as_str));
    }
    chosen.join("+")
}

/// The paragraphs of Tesseract's table of words; `None` if their confidence is too low.
fn text(table: &[u8]) -> Option<String> {
    let table = String::from_utf8_lossy(table);
    let (mut text, mut paragraph, mut line) = (String::new(), None, None);
    let (mut confidence, mut count) = (0.0_f32, 0_u16);
    for row in table.lines() {
        let Some(word) = Word::parse(row) else { continue };
        confidence += word.confidence;
        count = count.saturating_add(1);
        if word.confidence < MIN_WORD_CONFIDENCE {
            continue;
        }
        if paragraph.replace(word.paragraph).is_some_and(|before| before != word.paragraph) {
            text.push_str("\n\n");
        } else if line.is_some_and(|before| before != word.line) && ends_with_hyphen(&text, word.text) {
            text.pop();
        } else if !text.is_empty() {
            text.push(' ');
        }
        line = Some(word.line);
        text.push_str(word.text);
    }
    (count > 0 && confidence / f32::from(count) >= MIN_CONFIDENCE && !text.is_empty()).then_some(text)
}

/// Whether a line ends within a word that the next one continues.
fn ends_with_hyphen(text: &str, next: &str) -> bool {
    let mut end = text.chars().rev();
    end.next() == Some('-')
        && end.next().is_some_and(char::is_alphabetic)
        && next.chars().next().is_some_and(char::is_lowercase)
}

/// A word of Tesseract's table.
struct Word<'a> {
    /// Block and paragraph.
    paragraph: (&'a str, &'a str),
    /// Number of its line in the paragraph.
    line: &'a str,
    /// In percent.
    confidence: f32,
    text: &'a str,
}

impl<'a> Word<'a> {
    /// Parses a row: level, page, block, paragraph, line, word, left, top, width, height, confidence, text.
    fn parse(row: &'a str) -> Option<Self> {
        const WORD_LEVEL: &str = "5";
        let columns: Vec<&str> = row.split('\t').collect();
        let [level, _, block, paragraph, line, _, _, _, _, _, confidence, text] = *columns.as_slice() else {
            return None;
        };
        let word = Self { paragraph: (block, paragraph), line, confidence: confidence.parse().ok()?, text };
        (level == WORD_LEVEL && !text.trim().is_empty()).then_some(word)
    }
}

/// Pages that are images without text.
pub(super) fn scanned_pages(extracted: &Extraction) -> &[u32] {
    match extracted {
        Ok(document) => &document.scanned_pages,
        Err(rejection) => &rejection.scanned_pages,
    }
}

/// The result without text recognition. Notes list the unread pages; a rejection states how to enable
/// recognition.
pub(super) fn without(extracted: Extraction, available: bool) -> Extraction {
    match extracted {
        Ok(mut document) => {
            document.notes.extend(not_read(&document.scanned_pages));
            Ok(document)
        }
        Err(rejection) if !rejection.scanned_pages.is_empty() && !available => Err(Rejection {
            message: format!(
                "{} This service reads such pages itself where its operator installs Tesseract.",
                rejection.message
            ),
            ..rejection
        }),
        Err(rejection) => Err(rejection),
    }
}

fn not_read(pages: &[u32]) -> Option<String> {
    (!pages.is_empty())
        .then(|| format!("{}: images without readable text, which were not read.", name_pages(pages)))
}

/// Inserts the recognised texts at their pages.
pub(super) fn merge(extracted: Extraction, texts: Vec<(u32, Option<String>)>) -> Extraction {
    let read: Vec<u32> = texts.iter().filter(|(_, text)| text.is_some()).map(|(page, _)| *page).collect();
    if read.is_empty() {
        return match extracted {
            Ok(_) => without(extracted, true),
            Err(rejection) if rejection.verdict == Verdict::ScannedNoText => Err(Rejection {
                message: "The pages of the file are images, and text recognition found no text on them. \
                          Scan them at a higher resolution, or upload the document they were printed from."
                    .to_owned(),
                ..rejection
            }),
            Err(rejection) => Err(rejection),
        };
    }
    let scanned = scanned_pages(&extracted).to_vec();
    let mut document =
        extracted.unwrap_or_else(|_| Document::new(Format::Pdf, Markup::Markdown, String::new()));
    (document.text, document.pages) = insert(&document, texts);
    document
        .notes
        .push(format!("{}: text recognised from images (OCR); it may contain errors.", name_pages(&read)));
    let unread: Vec<u32> = scanned.into_iter().filter(|page| !read.contains(page)).collect();
    document.notes.extend(not_read(&unread));
    document.scanned_pages = unread;
    Ok(document)
}

/// Inserts texts at the ends of their pages. Returns the text and the start of each page in characters. Other
/// pages stay as they are: a word may continue on the next page.
fn insert(document: &Document, texts: Vec<(u32, Option<String>)>) -> (String, Vec<usize>) {
    let characters: Vec<char> = document.text.chars().collect();
    let last = texts.iter().filter_map(|(page, _)| usize::try_from(*page).ok()).max().unwrap_or(0);
    let count = document.pages.len().max(last);
    let mut texts: HashMap<usize, String> = texts
        .into_iter()
        .filter_map(|(page, text)| Some((usize::try_from(page).ok()?.checked_sub(1)?, text?)))
        .collect();
    let (mut joined, mut starts) = (String::new(), Vec::with_capacity(count));
    let start_of = |page: usize| document.pages.get(page).copied().unwrap_or(characters.len());
    for page in 0..count {
        let own = characters.get(start_of(page)..start_of(page + 1)).unwrap_or_default();
        let own: String = own.iter().collect();
        let Some(text) = texts.remove(&page) else {
            starts.push(joined.chars().count());
            joined.push_str(&own);
            continue;
        };
        separate(&mut joined);
        starts.push(joined.chars().count());
        // A scanned page may have some text, such as a stamp or a page number.
        joined.push_str(own.trim());
        separate(&mut joined);
        joined.push_str(&text);
        separate(&mut joined);
    }
    joined.truncate(joined.trim_end().len());
    let end = joined.chars().count();
    (joined, starts.into_iter().map(|start| start.min(end)).collect())
}

/// Ends a text with a blank line, unless it is empty.
fn separate(text: &mut String) {
    text.truncate(text.trim_end().len());
    if !text.is_empty() {
        text.push_str("\n\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(pages: &[u32]) -> Rejection {
        Rejection { scanned_pages: pages.to_vec(), ..Rejection::new(Verdict::ScannedNoText, "Images.") }
    }

    fn row(paragraph: u8, line: u8, confidence: f32, text: &str) -> String {
        format!("5\t1\t1\t{paragraph}\t{line}\t1\t0\t0\t9\t9\t{confidence}\t{text}\n")
    }

    #[test]
    fn words_become_paragraphs_without_line_end_hyphens() {
        let table = [
            "level\tpage_num\n".to_owned(),
            row(1, 1, 96.0, "Öffnungs-"),
            row(1, 2, 95.0, "zeiten"),
            row(1, 2, 91.5, "täglich"),
            row(1, 2, 3.0, "|"),
            row(2, 1, 90.0, "9-17"),
        ]
        .concat();
        assert_eq!(text(table.as_bytes()).unwrap(), "Öffnungszeiten täglich\n\n9-17");
    }

    #[test]
    fn a_picture_has_no_text() {
        let table = [row(1, 1, 31.0, "~e"), row(1, 2, 12.0, "\\/"), row(2, 1, 44.0, "iI")].concat();
        assert_eq!(text(table.as_bytes()), None);
        assert_eq!(text(b"level\tpage_num\n"), None);
    }

    #[test]
    fn only_installed_languages_are_chosen() {
        let installed = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for (names, language, chosen) in [
            (&["deu", "eng"][..], "deu", "deu+eng"),
            (&["deu", "eng"], "eng", "eng"),
            (&["deu", "eng"], "fra", "eng"),
            (&["ita"], "fra", "ita"),
        ] {
            assert_eq!(choose(&installed(names), language), chosen, "{names:?} {language}");
        }
    }

    #[test]
    fn recognised_pages_stand_at_their_place() {
        let document = Document {
            format: Format::Pdf,
            markup: Markup::Markdown,
            text: "Erste\n\ndritte".to_owned(),
            pages: vec![0, 5, 7],
            title: None,
            notes: Vec::new(),
            scanned_pages: vec![2, 4],
            web: None,
        };
        let merged = merge(Ok(document), vec![(2, Some("zwöite".to_owned())), (4, None)]).unwrap();
        assert_eq!(merged.text, "Erste\n\nzwöite\n\ndritte");
        assert_eq!(merged.pages, [0, 7, 15, 21]);
        assert_eq!(merged.scanned_pages, [4]);
        assert_eq!(
            merged.notes,
            [
                "Page 2: text recognised from images (OCR); it may contain errors.",
                "Page 4: images without readable text, which were not read.",
            ]
        );
    }

    #[test]
    fn a_word_that_continues_on_the_next_page_stays_whole() {
        let mut document = Document::new(Format::Pdf, Markup::Markdown, "the warehouse".to_owned());
        document.pages = vec![0, 8, 13];
        document.scanned_pages = vec![3];
        let merged = merge(Ok(document), vec![(3, Some("scan".to_owned()))]).unwrap();
        assert_eq!(merged.text, "the warehouse\n\nscan");
        assert_eq!(merged.pages, [0, 8, 15]);
    }

    #[test]
    fn a_scan_becomes_a_document() {
        let merged = merge(Err(scanned(&[1, 2])), vec![(1, None), (2, Some("two".to_owned()))]).unwrap();
        assert_eq!((merged.text.as_str(), merged.pages.as_slice()), ("two", &[0, 0][..]));
        let nothing = merge(Err(scanned(&[1])), vec![(1, None)]).unwrap_err();
        assert!(nothing.message.contains("found no text"), "{nothing}");
    }

    #[test]
    fn without_the_program_the_verdict_names_it() {
        let rejection = without(Err(scanned(&[1])), false).unwrap_err();
        assert!(rejection.message.contains("Tesseract"), "{rejection}");
    }
}
