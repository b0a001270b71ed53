//! Writes the first inputs of the extractors' targets: the small files of `extract`'s own corpus, each where it is read.
//!
//!     cargo run -p parlance-fuzz --example seeds

use std::path::Path;

use parlance_extract::corpus::{hostile, valid};

/// Larger files are for the tests of `extract`: a fuzzer is as slow as its inputs are long.
const MOST_BYTES: usize = 2_500;

/// Word 97 pads: its smallest file is as long as this.
const MOST_BYTES_OF_DOC: usize = 12_000;

/// Short, and yet it takes seconds.
const SLOW: &str = "cmap.pdf";

fn main() -> std::io::Result<()> {
    for sample in valid().into_iter().chain(hostile()) {
        let (_, extension) = sample.name.rsplit_once('.').unwrap_or_default();
        let (target, head, most): (_, &[u8], _) = match extension {
            "txt" => ("extract_text", b"t", MOST_BYTES),
            "md" => ("extract_text", b"m", MOST_BYTES),
            "csv" | "tsv" => ("extract_text", b"c", MOST_BYTES),
            "pdf" => ("extract_pdf", b"", MOST_BYTES),
            "docx" => ("extract_docx", b"", MOST_BYTES),
            "doc" => ("extract_doc", b"", MOST_BYTES_OF_DOC),
            "html" => ("extract_html", b"", MOST_BYTES),
            _ => continue,
        };
        if sample.bytes.len() <= most && sample.name != SLOW {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join(&sample.name), [head, &sample.bytes].concat())?;
        }
    }
    Ok(())
}
