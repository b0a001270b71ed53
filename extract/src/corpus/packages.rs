//! Writers of packages other than DOCX: only the parts that a reader needs.

use super::ole;
use super::word::archive;

const NAMESPACE: &str = "http://schemas.openxmlformats.org";

/// A sheet: name, attributes of its entry, XML of its rows, XML after the rows.
type SheetSource<'a> = (&'a str, &'a str, &'a str);

/// An XLSX workbook of these sheets: name, attributes of its entry, XML of its rows, XML after the rows.
pub(super) fn xlsx(sheets: &[SheetSource<'_>]) -> Vec<u8> {
    let entries = |entry: &dyn Fn(usize, &SheetSource<'_>) -> String| -> String {
        sheets.iter().enumerate().map(|(index, sheet)| entry(index + 1, sheet)).collect()
    };
    let types = format!(
        "<Types xmlns=\"{NAMESPACE}/package/2006/content-types\">\
         <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
         <Override PartName=\"/xl/workbook.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/>\
         <Override PartName=\"/xl/styles.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml\"/>{}</Types>",
        entries(&|number, _| format!(
            "<Override PartName=\"/xl/worksheets/sheet{number}.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/>"
        ))
    );
    let workbook = format!(
        "<workbook xmlns=\"{NAMESPACE}/spreadsheetml/2006/main\" xmlns:r=\"{NAMESPACE}/officeDocument/2006/relationships\">\
         <sheets>{}</sheets></workbook>",
        entries(&|number, (name, attributes, _)| format!(
            "<sheet name=\"{name}\" sheetId=\"{number}\" {attributes} r:id=\"rId{number}\"/>"
        ))
    );
    let relations = format!(
        "<Relationships xmlns=\"{NAMESPACE}/package/2006/relationships\">{}\
         <Relationship Id=\"rId99\" Type=\"{NAMESPACE}/officeDocument/2006/relationships/styles\" Target=\"styles.xml\"/></Relationships>",
        entries(&|number, _| format!(
            "<Relationship Id=\"rId{number}\" Type=\"{NAMESPACE}/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet{number}.xml\"/>"
        ))
    );
    // Styles 1 to 4: a date, a time of day, a percentage, an amount.
    let styles = format!(
        "<styleSheet xmlns=\"{NAMESPACE}/spreadsheetml/2006/main\"><numFmts count=\"1\">\
         <numFmt numFmtId=\"164\" formatCode=\"#,##0.00\\ &quot;€&quot;\"/></numFmts>\
         <cellXfs count=\"5\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\" applyNumberFormat=\"1\"/>\
         <xf numFmtId=\"20\" applyNumberFormat=\"1\"/><xf numFmtId=\"10\" applyNumberFormat=\"1\"/>\
         <xf numFmtId=\"164\" applyNumberFormat=\"1\"/></cellXfs></styleSheet>"
    );
    let worksheets: Vec<(String, String)> = sheets
        .iter()
        .enumerate()
        .map(|(index, (.., rows))| {
            let xml = format!("<worksheet xmlns=\"{NAMESPACE}/spreadsheetml/2006/main\">{rows}</worksheet>");
            (format!("xl/worksheets/sheet{}.xml", index + 1), xml)
        })
        .collect();
    let main = relation("xl/workbook.xml");
    let mut parts: Vec<(&str, &[u8])> = vec![
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", main.as_bytes()),
        ("xl/workbook.xml", workbook.as_bytes()),
        ("xl/_rels/workbook.xml.rels", relations.as_bytes()),
        ("xl/styles.xml", styles.as_bytes()),
    ];
    parts.extend(worksheets.iter().map(|(name, xml)| (name.as_str(), xml.as_bytes())));
    archive(&parts)
}

/// The relations of a package to its main part.
fn relation(target: &str) -> String {
    format!(
        "<Relationships xmlns=\"{NAMESPACE}/package/2006/relationships\">\
         <Relationship Id=\"rId1\" Type=\"{NAMESPACE}/officeDocument/2006/relationships/officeDocument\" Target=\"{target}\"/>\
         </Relationships>"
    )
}

/// The XML of rows of text.
pub(super) fn sheet_rows(rows: &[&[&str]]) -> String {
    let mut xml = "<sheetData>".to_owned();
    for (index, row) in rows.iter().enumerate() {
        xml.push_str(&format!("<row r=\"{}\">", index + 1));
        for (column, cell) in row.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let letter = char::from(b'A' + column as u8);
            let place = format!("{letter}{}", index + 1);
            xml.push_str(&format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{cell}</t></is></c>"));
        }
        xml.push_str("</row>");
    }
    xml + "</sheetData>"
}

/// An XLS workbook with a sheet of text and numbers: a cell that parses is a number.
pub(super) fn xls(name: &str, rows: &[&[&str]]) -> Vec<u8> {
    let record = |kind: u16, content: &[u8]| {
        [&kind.to_le_bytes(), (content.len() as u16).to_le_bytes().as_slice(), content].concat()
    };
    let begin =
        |kind: u16| record(0x0809, &[0x0600_u16, kind, 0, 0, 0, 0, 0, 0].map(u16::to_le_bytes).concat());
    let end = record(0x000a, &[]);
    let globals = begin(0x0005);
    let entry = |offset: u32| {
        let head =
            [&offset.to_le_bytes(), [0, 0].as_slice(), &[name.len() as u8, 0], name.as_bytes()].concat();
        record(0x0085, &head)
    };
    let offset = globals.len() + entry(0).len() + end.len();
    let mut stream = [globals, entry(offset as u32), end.clone(), begin(0x0010)].concat();
    for (number, row) in rows.iter().enumerate() {
        for (column, cell) in row.iter().enumerate() {
            let place = [number as u16, column as u16, 0].map(u16::to_le_bytes).concat();
            match cell.parse::<f64>() {
                Ok(value) => stream.extend(record(0x0203, &[place, value.to_le_bytes().to_vec()].concat())),
                Err(_) => {
                    let text: Vec<u8> = cell.encode_utf16().flat_map(u16::to_le_bytes).collect();
                    let length = (cell.encode_utf16().count() as u16).to_le_bytes();
                    stream.extend(record(0x0204, &[place.as_slice(), &length, &[1], &text].concat()));
                }
            }
        }
    }
    stream.extend(end);
    ole::compound(&[("Workbook", &stream)])
}

/// A PPTX presentation of these slides: title, lines, speaker notes, attributes of the slide.
pub(super) fn pptx(slides: &[(&str, &[&str], &str, &str)]) -> Vec<u8> {
    let names = format!(
        "xmlns:a=\"{NAMESPACE}/drawingml/2006/main\" xmlns:p=\"{NAMESPACE}/presentationml/2006/main\" \
         xmlns:r=\"{NAMESPACE}/officeDocument/2006/relationships\""
    );
    let kind = "application/vnd.openxmlformats-officedocument.presentationml";
    let mut types = format!(
        "<Types xmlns=\"{NAMESPACE}/package/2006/content-types\">\
         <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
         <Override PartName=\"/ppt/presentation.xml\" ContentType=\"{kind}.presentation.main+xml\"/>"
    );
    let (mut list, mut relations) = (String::new(), String::new());
    let mut parts: Vec<(String, String)> = Vec::new();
    let shape = |number: usize, place: &str, y: usize, lines: &[&str]| {
        let paragraphs: String =
            lines.iter().map(|line| format!("<a:p><a:r><a:t>{line}</a:t></a:r></a:p>")).collect();
        format!(
            "<p:sp><p:nvSpPr><p:cNvPr id=\"{number}\" name=\"{number}\"/><p:cNvSpPr/><p:nvPr><p:ph type=\"{place}\"/></p:nvPr>\
             </p:nvSpPr><p:spPr><a:xfrm><a:off x=\"0\" y=\"{y}\"/><a:ext cx=\"9\" cy=\"9\"/></a:xfrm></p:spPr>\
             <p:txBody><a:bodyPr/>{paragraphs}</p:txBody></p:sp>"
        )
    };
    for (index, (title, lines, notes, attributes)) in slides.iter().enumerate() {
        let number = index + 1;
        types.push_str(&format!(
            "<Override PartName=\"/ppt/slides/slide{number}.xml\" ContentType=\"{kind}.slide+xml\"/>"
        ));
        types.push_str(&format!("<Override PartName=\"/ppt/notesSlides/notesSlide{number}.xml\" ContentType=\"{kind}.notesSlide+xml\"/>"));
        list.push_str(&format!("<p:sldId id=\"{}\" r:id=\"rId{number}\"/>", 255 + number));
        relations.push_str(&format!(
            "<Relationship Id=\"rId{number}\" Type=\"{NAMESPACE}/officeDocument/2006/relationships/slide\" Target=\"slides/slide{number}.xml\"/>"
        ));
        let page = number.to_string();
        let heading = if title.is_empty() { String::new() } else { shape(2, "title", 0, &[title]) };
        let shapes = [
            heading,
            shape(3, "body", 100, lines),
            shape(4, "ftr", 200, &["Running footer"]),
            shape(5, "sldNum", 300, &[&page]),
        ]
        .concat();
        parts.push((
            format!("ppt/slides/slide{number}.xml"),
            format!("<p:sld {names} {attributes}><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>"),
        ));
        if !notes.is_empty() {
            parts.push((
                format!("ppt/notesSlides/notesSlide{number}.xml"),
                format!(
                    "<p:notes {names}><p:cSld><p:spTree>{}</p:spTree></p:cSld></p:notes>",
                    shape(2, "body", 0, &[notes])
                ),
            ));
            parts.push((
                format!("ppt/slides/_rels/slide{number}.xml.rels"),
                format!(
                    "<Relationships xmlns=\"{NAMESPACE}/package/2006/relationships\"><Relationship Id=\"rId1\" \
                     Type=\"{NAMESPACE}/officeDocument/2006/relationships/notesSlide\" Target=\"../notesSlides/notesSlide{number}.xml\"/></Relationships>"
                ),
            ));
        }
    }
    parts.push(("[Content_Types].xml".to_owned(), types + "</Types>"));
    parts.push(("_rels/.rels".to_owned(), relation("ppt/presentation.xml")));
    parts.push((
        "ppt/presentation.xml".to_owned(),
        format!("<p:presentation {names}><p:sldIdLst>{list}</p:sldIdLst></p:presentation>"),
    ));
    parts.push((
        "ppt/_rels/presentation.xml.rels".to_owned(),
        format!(
            "<Relationships xmlns=\"{NAMESPACE}/package/2006/relationships\">{relations}</Relationships>"
        ),
    ));
    let parts: Vec<(&str, &[u8])> = parts.iter().map(|(name, xml)| (name.as_str(), xml.as_bytes())).collect();
    archive(&parts)
}

/// An OpenDocument file of a kind ("text", "spreadsheet", "presentation"), with these automatic styles and
/// body.
pub(super) fn open_document(kind: &str, styles: &str, body: &str) -> Vec<u8> {
    let content = format!(
        "<?xml version=\"1.0\"?><office:document-content xmlns:office=\"o\" xmlns:text=\"t\" xmlns:table=\"b\" xmlns:style=\"s\" \
         xmlns:draw=\"d\" xmlns:presentation=\"p\" xmlns:xlink=\"x\"><office:automatic-styles>{styles}</office:automatic-styles>\
         <office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    );
    archive(&[
        ("mimetype", format!("application/vnd.oasis.opendocument.{kind}").as_bytes()),
        ("META-INF/manifest.xml", b"<manifest:manifest xmlns:manifest=\"m\"/>"),
        (
            "meta.xml",
            b"<office:document-meta xmlns:office=\"o\" xmlns:dc=\"d\"><office:meta><dc:title>The terms</dc:title></office:meta></office:document-meta>",
        ),
        ("content.xml", content.as_bytes()),
    ])
}

/// An e-book of these chapters: name of the file and body. The first one is not linear.
pub(super) fn epub(chapters: &[(&str, &str)]) -> Vec<u8> {
    let list = |entry: &dyn Fn(usize, &str) -> String| -> String {
        chapters.iter().enumerate().map(|(index, (name, _))| entry(index, name)).collect()
    };
    let manifest = list(&|index, name| {
        format!("<item id=\"c{index}\" href=\"text/{name}\" media-type=\"application/xhtml+xml\"/>")
    });
    let spine = list(&|index, _| {
        format!("<itemref idref=\"c{index}\"{}/>", if index == 0 { " linear=\"no\"" } else { "" })
    });
    let package = format!(
        "<package xmlns=\"http://www.idpf.org/2007/opf\" xmlns:dc=\"d\"><metadata><dc:title>The handbook</dc:title></metadata>\
         <manifest><item id=\"nav\" properties=\"nav\" href=\"nav.xhtml\" media-type=\"application/xhtml+xml\"/>{manifest}</manifest>\
         <spine><itemref idref=\"nav\"/>{spine}</spine></package>"
    );
    let page = |body: &str| {
        format!(
            "<html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title>The handbook</title></head><body>{body}</body></html>"
        )
    };
    let container: &[u8] =
        b"<container><rootfiles><rootfile full-path=\"OEBPS/book.opf\"/></rootfiles></container>";
    let pages: Vec<(String, String)> = chapters
        .iter()
        .map(|(name, body)| (format!("OEBPS/text/{}", name.replace("%20", " ")), page(body)))
        .collect();
    let nav = page("<nav>Contents of the book</nav><p>Contents of the book</p>");
    let mut parts: Vec<(&str, &[u8])> = vec![
        ("mimetype", b"application/epub+zip"),
        ("META-INF/container.xml", container),
        ("OEBPS/book.opf", package.as_bytes()),
        ("OEBPS/nav.xhtml", nav.as_bytes()),
    ];
    parts.extend(pages.iter().map(|(name, page)| (name.as_str(), page.as_bytes())));
    archive(&parts)
}
