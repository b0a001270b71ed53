//! Writes the seed inputs of the extraction targets: the small files of `extract`'s corpus.
//!
//!     cargo run -p parlance-fuzz --example seeds

use std::path::Path;

use parlance_extract::corpus::{hostile, valid};

/// Larger files are left to the tests of `extract`: fuzzing speed depends on input size.
const MAX_BYTES: usize = 2_500;

/// Word 97 pads its files; the smallest has this size.
const MAX_DOC_BYTES: usize = 12_000;

/// A presentation has many parts.
const MAX_PACKAGE_BYTES: usize = 8_000;

/// Small, but takes seconds.
const SLOW: &str = "cmap.pdf";

fn main() -> std::io::Result<()> {
    for sample in valid().into_iter().chain(hostile()) {
        let (_, extension) = sample.name.rsplit_once('.').unwrap_or_default();
        let (target, head, max): (_, &[u8], _) = match extension {
            "txt" => ("extract_text", b"t", MAX_BYTES),
            "md" => ("extract_text", b"m", MAX_BYTES),
            "csv" | "tsv" => ("extract_text", b"c", MAX_BYTES),
            "pdf" => ("extract_pdf", b"", MAX_BYTES),
            "docx" => ("extract_docx", b"", MAX_BYTES),
            "doc" => ("extract_doc", b"", MAX_DOC_BYTES),
            "html" => ("extract_html", b"", MAX_BYTES),
            "xlsx" => ("extract_xlsx", b"", MAX_BYTES),
            "pptx" => ("extract_pptx", b"", MAX_PACKAGE_BYTES),
            "xls" | "ppt" => ("extract_ole", b"", MAX_DOC_BYTES),
            "odt" | "ods" | "odp" => ("extract_odf", b"", MAX_BYTES),
            "epub" => ("extract_epub", b"", MAX_BYTES),
            "rtf" => ("extract_rtf", b"", MAX_BYTES),
            "json" | "jsonl" => ("extract_json", b"", MAX_BYTES),
            _ => continue,
        };
        if sample.bytes.len() <= max && sample.name != SLOW {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join(&sample.name), [head, &sample.bytes].concat())?;
        }
    }
    Ok(())
}
