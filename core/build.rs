//! Writes the vocabularies of OpenAI's tokenizers for `src/providers/chat/tokens.rs`, compressed.
//!
//! `bpe-openai` embeds 47 MB of prebuilt automata. The vocabularies take 1.4 MB, and an automaton is built from one
//! when the first text is counted. The linker drops the prebuilt automata because nothing refers to them.
//!
//! Format, deflated: the number of tokens (u32, little-endian), their lengths (u8 each), their bytes.

#![expect(clippy::disallowed_methods, reason = "Cargo names the output folder by an environment variable")]

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::DeflateEncoder;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = PathBuf::from(std::env::var("OUT_DIR")?);
    for (name, tokenizer) in
        [("o200k.vocabulary", bpe_openai::o200k_base()), ("cl100k.vocabulary", bpe_openai::cl100k_base())]
    {
        let count = u32::try_from(tokenizer.bpe.num_tokens())?;
        let tokens = || (0..count).map(|token| tokenizer.bpe.token_bytes(token));
        let lengths = tokens().map(|token| u8::try_from(token.len())).collect::<Result<Vec<_>, _>>()?;
        let mut file = DeflateEncoder::new(File::create(folder.join(name))?, Compression::best());
        file.write_all(&count.to_le_bytes())?;
        file.write_all(&lengths)?;
        for token in tokens() {
            file.write_all(token)?;
        }
        file.finish()?;
    }
    Ok(())
}
