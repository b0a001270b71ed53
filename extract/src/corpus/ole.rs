//! Writer of OLE compound files and of minimal Word 97 documents: one text piece, no styles.

/// Sector size of a compound file, in bytes.
const SECTOR: usize = 512;

/// Minimum size of a regular stream, in bytes. Smaller ones would need a mini stream, so all are padded.
const MIN_STREAM: usize = 4096;

const FREE: u32 = 0xffff_ffff;
const END: u32 = 0xffff_fffe;
const TABLE: u32 = 0xffff_fffd;

/// Offset of the text in the document stream: after the header.
const TEXT: usize = 1024;

/// A Word 97 document with properties of paragraphs and characters.
#[derive(Clone, Copy, Debug, Default)]
pub struct RichDoc<'a> {
    /// Texts with their final marks, and their properties. One page of properties must hold all of them.
    pub paragraphs: &'a [(&'a str, &'a [u8])],
    /// Position behind each run of characters, and its properties.
    pub runs: &'a [(usize, &'a [u8])],
    /// Lengths of the stories in characters: main text, footnotes, headers, comments, endnotes, text boxes.
    pub stories: [u32; 6],
    /// Structures of the table stream by their index in the header.
    pub parts: &'a [(usize, &'a [u8])],
}

/// Writes a compound file of these streams.
pub(super) fn compound(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let streams: Vec<(&str, Vec<u8>)> = streams
        .iter()
        .map(|(name, content)| {
            let mut content = content.to_vec();
            content.resize(content.len().max(MIN_STREAM).next_multiple_of(SECTOR), 0);
            (*name, content)
        })
        .collect();
    let directory = ((streams.len() + 1) * 128).div_ceil(SECTOR);
    let content: usize = streams.iter().map(|(_, content)| content.len() / SECTOR).sum();
    // A table sector holds the successors of 128 sectors, including those of the table itself.
    let tables = (1..).find(|tables| tables * 128 >= tables + directory + content).unwrap_or(1);

    let mut chains = vec![TABLE; tables];
    chain(&mut chains, directory);
    let mut entries = entry("Root Entry", 5, END, 0, FREE, if streams.is_empty() { FREE } else { 1 });
    for (index, (name, content)) in streams.iter().enumerate() {
        let start = chains.len() as u32;
        chain(&mut chains, content.len() / SECTOR);
        let next = if index + 1 < streams.len() { index as u32 + 2 } else { FREE };
        entries.extend(entry(name, 2, start, content.len() as u64, next, FREE));
    }
    entries.resize(directory * SECTOR, 0);
    chains.resize(tables * 128, FREE);

    let mut file = header(tables, tables as u32);
    file.extend(chains.into_iter().flat_map(u32::to_le_bytes));
    file.extend(entries);
    file.extend(streams.into_iter().flat_map(|(_, content)| content));
    file
}

/// Writes a Word 97 document.
pub(super) fn doc(paragraphs: &[&str]) -> Vec<u8> {
    let (main, table) = word(paragraphs, 0, None);
    compound(&[("1Table", &table), ("WordDocument", &main)])
}

/// The document and table streams. `flags` are extra header bits; `characters` overrides the declared text
/// length.
pub(super) fn word(paragraphs: &[&str], flags: u16, characters: Option<u32>) -> (Vec<u8>, Vec<u8>) {
    let text: Vec<u16> = paragraphs.iter().flat_map(|text| text.encode_utf16().chain([13])).collect();
    let characters = characters.unwrap_or(text.len() as u32);
    let mut main = vec![0; TEXT];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = main.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    put(0, &0xa5ec_u16.to_le_bytes());
    put(2, &0x00c1_u16.to_le_bytes());
    put(6, &0x0409_u16.to_le_bytes());
    // This bit selects "1Table" as the table stream.
    put(10, &(0x0200 | flags).to_le_bytes());
    put(12, &0x00bf_u16.to_le_bytes());
    put(24, &(TEXT as u32).to_le_bytes());
    put(28, &((TEXT + text.len() * 2) as u32).to_le_bytes());
    put(32, &14_u16.to_le_bytes());
    put(62, &22_u16.to_le_bytes());
    put(64, &((TEXT + text.len() * 2) as u32).to_le_bytes());
    put(76, &characters.to_le_bytes());
    put(152, &93_u16.to_le_bytes());

    let mut pieces = vec![2];
    pieces.extend(16_u32.to_le_bytes());
    pieces.extend(0_u32.to_le_bytes());
    pieces.extend(characters.to_le_bytes());
    pieces.extend([0, 0]);
    pieces.extend((TEXT as u32).to_le_bytes());
    pieces.extend([0, 0]);
    // Offset and length of the piece table in the table stream.
    put(0x1a2, &0_u32.to_le_bytes());
    put(0x1a6, &(pieces.len() as u32).to_le_bytes());
    main.extend(text.into_iter().flat_map(u16::to_le_bytes));
    (main, pieces)
}

/// A Word 97 document with properties.
pub(super) fn rich(rich: &RichDoc<'_>) -> Vec<u8> {
    let texts: Vec<&str> = rich.paragraphs.iter().map(|(text, _)| *text).collect();
    let text: Vec<u16> = texts.concat().encode_utf16().collect();
    let (mut main, mut table) = word(&[], 0, Some(text.len() as u32));
    main.extend(text.iter().flat_map(|unit| unit.to_le_bytes()));
    let offset = |position: usize| (TEXT + position * 2) as u32;
    let mut ends = Vec::new();
    for text in &texts {
        ends.push(ends.last().unwrap_or(&0) + text.encode_utf16().count());
    }
    let mut parts: Vec<(usize, Vec<u8>)> =
        rich.parts.iter().map(|(index, part)| (*index, part.to_vec())).collect();
    // Each paragraph has a length, style zero and its properties. The length is in words of two bytes. It is
    // one byte, which counts too, before an odd number of bytes. Before an even number, a zero precedes it.
    let paragraphs = rich.paragraphs.iter().zip(&ends).map(|((_, properties), end)| {
        let mut content = [&[0, 0], *properties].concat();
        if content.len().is_multiple_of(2) {
            content.splice(0..0, [0, (content.len() / 2) as u8]);
        } else {
            content.insert(0, content.len().div_ceil(2) as u8);
        }
        (offset(*end), content)
    });
    let paragraphs: Vec<_> = paragraphs.collect();
    let runs = rich
        .runs
        .iter()
        .map(|(end, properties)| (offset(*end), [&[properties.len() as u8], *properties].concat()));
    let runs: Vec<_> = runs.collect();
    for (index, record, entries) in [(13, 13, paragraphs), (12, 1, runs)] {
        main.resize(main.len().next_multiple_of(SECTOR), 0);
        let page = (main.len() / SECTOR) as u32;
        let last = entries.last().map_or(offset(0), |(end, _)| *end);
        main.extend(properties_page(offset(0), &entries, record));
        parts.push((index, [offset(0), last, page].into_iter().flat_map(u32::to_le_bytes).collect()));
    }
    let mut put = |at: usize, value: u32| {
        if let Some(place) = main.get_mut(at..at + 4) {
            place.copy_from_slice(&value.to_le_bytes());
        }
    };
    for (at, length) in [0x4c, 0x50, 0x54, 0x5c, 0x60, 0x64].into_iter().zip(rich.stories) {
        put(at, length);
    }
    for (index, part) in parts {
        put(0x9a + index * 8, table.len() as u32);
        put(0x9e + index * 8, part.len() as u32);
        table.extend(part);
    }
    compound(&[("1Table", &table), ("WordDocument", &main)])
}

/// A page of properties: offsets, places of the properties, and these from the end.
fn properties_page(start: u32, entries: &[(u32, Vec<u8>)], record: usize) -> Vec<u8> {
    let mut page = vec![0; SECTOR];
    let mut offsets: Vec<u8> = start.to_le_bytes().to_vec();
    let mut records = Vec::new();
    let mut free = SECTOR - 1;
    for (end, content) in entries {
        offsets.extend(end.to_le_bytes());
        free = (free - content.len()) & !1;
        if let Some(place) = page.get_mut(free..free + content.len()) {
            place.copy_from_slice(content);
        }
        records.push((free / 2) as u8);
        records.resize(records.len() + record - 1, 0);
    }
    let head = [offsets, records].concat();
    if let Some(place) = page.get_mut(..head.len()) {
        place.copy_from_slice(&head);
    }
    if let Some(count) = page.last_mut() {
        *count = entries.len() as u8;
    }
    page
}

fn chain(chains: &mut Vec<u32>, sectors: usize) {
    for _ in 1..sectors {
        chains.push(chains.len() as u32 + 1);
    }
    chains.push(END);
}

fn header(tables: usize, directory: u32) -> Vec<u8> {
    let mut header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    header.extend([0; 16]);
    for half in [0x3e_u16, 3, 0xfffe, 9, 6, 0, 0, 0] {
        header.extend(half.to_le_bytes());
    }
    for word in [0, tables as u32, directory, 0, MIN_STREAM as u32, END, 0, END, 0] {
        header.extend(word.to_le_bytes());
    }
    for index in 0..109 {
        header.extend(if index < tables { index as u32 } else { FREE }.to_le_bytes());
    }
    header
}

fn entry(name: &str, kind: u8, start: u32, size: u64, right: u32, child: u32) -> Vec<u8> {
    let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let length = entry.len() as u16 + 2;
    entry.resize(64, 0);
    entry.extend(length.to_le_bytes());
    // All nodes are black, which makes a chain of right siblings a valid tree.
    entry.extend([kind, 1]);
    for word in [FREE, right, child] {
        entry.extend(word.to_le_bytes());
    }
    entry.extend([0; 36]);
    entry.extend(start.to_le_bytes());
    entry.extend(size.to_le_bytes());
    entry
}
