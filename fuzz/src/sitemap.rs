//! Site maps: whatever a site serves, what is read of it is addresses, and not too many.

// The reader is private to its crate, and pure: its file is compiled here once more.
#[path = "../../crawl/src/sitemap/read.rs"]
mod read;

/// The bytes that are inflated.
const LIMIT: usize = 1 << 20;

/// As in the reader.
const MAX_ENTRIES: usize = 50_000;
const MAX_ADDRESS: usize = 2_048;

/// A map, gzipped or not.
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

/// A map reads the same gzipped.
fn check_gzipped(input: &[u8], entries: &read::Entries) {
    use std::io::Write;

    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    // Writing to a vector does not fail.
    let _ = encoder.write_all(input);
    let zipped = read::entries(&encoder.finish().unwrap_or_default(), LIMIT);
    assert_eq!((&zipped.pages, &zipped.maps), (&entries.pages, &entries.maps), "gzipped");
}
