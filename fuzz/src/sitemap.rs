//! Sitemaps: any file parses into a bounded number of valid addresses.

// The parser is private to its crate, and pure: compile its file here a second time.
#[path = "../../crawl/src/sitemap/read.rs"]
mod read;

/// Maximum decompressed bytes.
const LIMIT: usize = 1 << 20;

/// As in the parser.
const MAX_ENTRIES: usize = 50_000;
const MAX_ADDRESS: usize = 2_048;

/// A sitemap, gzipped or not.
pub fn check(input: &[u8]) {
    let entries = read::entries(input, LIMIT);
    assert!(entries.pages.len() + entries.maps.len() <= MAX_ENTRIES);
    for address in entries.pages.iter().chain(&entries.maps) {
        assert!((1..=MAX_ADDRESS).contains(&address.len()), "{} bytes", address.len());
        assert_eq!(address.trim(), address);
    }
    if !input.starts_with(&[0x1f, 0x8b]) {
        check_gzipped(input, &entries);
    }
}

/// Gzipping must not change the result.
fn check_gzipped(input: &[u8], entries: &read::Entries) {
    use std::io::Write;

    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    // Writing to a vector cannot fail.
    let _ = encoder.write_all(input);
    let zipped = read::entries(&encoder.finish().unwrap_or_default(), LIMIT);
    assert_eq!((&zipped.pages, &zipped.maps), (&entries.pages, &entries.maps), "gzipped");
}
